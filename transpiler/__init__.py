"""Turns a Jupyter notebook into a Pipulate workflow plugin."""
