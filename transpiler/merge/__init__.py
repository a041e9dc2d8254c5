"""Merges what the compiler emits now into a plugin that was edited by hand. Pure functions over texts; see docs/regenerating.md."""
