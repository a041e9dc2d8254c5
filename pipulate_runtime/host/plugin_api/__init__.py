"""The object that plugins receive as `pipulate`: CONTRACT.md sections 1.8 to 1.18."""
