"""The parts of a plan: step ids, titles and texts, fields with their messages, values filled in from earlier cells."""
