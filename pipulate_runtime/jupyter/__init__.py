"""For notebooks in Jupyter: values that outlive the kernel, and `%port`. Imports the standard library only."""
