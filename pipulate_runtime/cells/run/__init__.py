"""One execution of a step: what it needs from earlier steps, its phases, its checkpoint, its end."""
