"""Finds, loads and names the plugins of a folder: Python files in, plugin classes with their routes out."""
