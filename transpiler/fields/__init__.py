"""From a draft (annotation, assignment, widget) to a `Field`: its type, default, limits, label and help."""
