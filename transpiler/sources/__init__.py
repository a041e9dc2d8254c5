"""Where questions come from in a notebook: `#|` lines, `#@param`, `input()`, Pipulate calls. Cells in, drafts of fields out."""
