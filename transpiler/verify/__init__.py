"""Runs a notebook in Jupyter and its plugin in the host, and compares what both show, cell by cell."""
