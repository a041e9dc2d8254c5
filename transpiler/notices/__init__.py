"""Warnings about a notebook that would compute something else as an app: facts of the analysis in, diagnostics out."""
