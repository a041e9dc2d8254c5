"""The commands of `pipulate`: each parses options, calls, prints and sets the exit code. All else is imported late."""
