"""For owners of plugins: port a dropped notebook, reload a changed plugin."""
