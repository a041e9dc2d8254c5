"""Kernel messages in, nbformat outputs out, with their text cleaned and their widgets resolved."""
