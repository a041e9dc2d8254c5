"""Why something stays as the notebook has it."""


class Cannot(Exception):
    """A widget cannot be a field; the text says why."""
