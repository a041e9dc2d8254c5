"""The notebook as a file and as IPython reads it: magics, Markdown, `#|` lines, installs, secrets; and edits of its source."""
