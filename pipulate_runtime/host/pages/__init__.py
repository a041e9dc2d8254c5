"""Pages of the host: home, runs, log, menu, notebook drop. Rows in, FastHTML elements out."""
