"""ipywidgets and `interact` in a notebook: constructor calls in, drafts of fields and edits of cells out."""
