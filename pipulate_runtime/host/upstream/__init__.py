"""What exists only for plugins written for upstream Pipulate: their routes, refusals and drawings."""
