"""The chat panel: a model on this machine answers questions about what the page shows, and keeps the tasks.

`ollama` speaks the protocol, `page_reader` says what the person sees, `tools` is what the model may do, `conversation` brings
them together, `panel` draws it and `socket` is the way to the page.
"""
