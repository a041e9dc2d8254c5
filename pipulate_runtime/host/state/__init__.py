"""Runs in SQLite: one row, one JSON blob. Keys, state and history in and out."""
