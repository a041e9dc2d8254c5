"""Which of two routes answers, where both would: the one that stands first."""

from fasthtml.common import FastHTML


def put_first(app: FastHTML, before: int) -> None:
    """Put the routes that an app has got since it had `before` of them ahead of all others, which so cannot hide them."""
    routes = app.router.routes
    routes[:] = routes[before:] + routes[:before]
