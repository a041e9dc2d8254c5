"""The code of a plugin's cells, read from its source file, and the marks `@cell` and `cell_text`."""
