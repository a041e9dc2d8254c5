"""Walks a plugin without a browser, through its own routes: answers in, outputs of each cell out."""
