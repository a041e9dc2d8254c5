"""The types that the passes hand on, the table of diagnostics, the names a plugin may not use. Imports nothing above it."""
