"""Facts about Python text: scopes, literals, positions, known libraries. Source text or trees in, plain values out."""
