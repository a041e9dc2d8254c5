"""Turns a Jupyter notebook into a Pipulate workflow plugin."""

__version__ = "0.1.0"
