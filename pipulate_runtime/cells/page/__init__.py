"""Outputs in, markup of cards out: finished cells, running cells, questions, sandboxed frames."""
