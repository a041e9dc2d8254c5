"""Likely inputs of a notebook without annotations, for `inspect`, `annotate` and `--fields auto`."""
