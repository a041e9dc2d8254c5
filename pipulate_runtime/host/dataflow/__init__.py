"""How the steps of a plugin feed each other: its source in, a picture (SVG, Mermaid) out."""
