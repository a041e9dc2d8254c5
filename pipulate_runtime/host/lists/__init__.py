"""Lists that people keep: tasks, profiles, roles. Each is a table, shown and changed by the same base class."""
