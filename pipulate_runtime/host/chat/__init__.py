"""The chat panel: a model on this machine answers questions about what the page shows, and keeps the tasks.

`client` speaks Ollama's protocol, `context` says what the person sees, `tools` is what the model may do, `conversation`
brings them together, `panel` draws it and `socket` is the way to the page.
"""
