"""Which names a cell reads, binds and changes: syntax trees of cells in, `CellFacts` and their links out. No cell is run."""
