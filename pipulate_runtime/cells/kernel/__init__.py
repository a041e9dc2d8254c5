"""Jupyter kernels of runs: starting, pooling, limiting and ending them; messages and questions of a running cell."""
