"""The review page of a port: notebook and plugin side by side, with the conflicts to settle."""
