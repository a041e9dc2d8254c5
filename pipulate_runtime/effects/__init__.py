"""What the cells of a step may do beside computing, read from their code: whether they can run again without asking."""
