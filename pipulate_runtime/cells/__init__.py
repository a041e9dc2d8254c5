"""Runs the cells of a notebook."""
