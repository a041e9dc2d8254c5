"""The host's side of `pipulate serve`, `run` and `runs`: options in, exit code out."""
