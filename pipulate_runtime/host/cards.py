"""Cards the host puts in place of a step's, and what stands in them: errors, and how to go on."""

from fasthtml.common import H3, A, Article, Button, Code, Details, Div, P, Pre, Summary

from pipulate_runtime.host import widgets
from pipulate_runtime.host.contract import Component
from pipulate_runtime.host.messages import HostError
from pipulate_runtime.host.plugins import Plugin


def error_card(error: HostError) -> Component:
    """A card for what the user can put right."""
    return Article(H3(error.message), P(error.remedy), data_state="error", role="alert")


def step_error(app_name: str, step_id: str, error: BaseException, trace: str) -> Component:
    """The card of a step whose handler failed: nothing is lost, and it can be tried again."""
    return Div(
        Article(
            H3("This step could not be shown"),
            P("Something in the workflow failed. What you did before is kept."),
            P(Code(f"{type(error).__name__}: {error}".rstrip(": "))),
            Div(
                Button(
                    "Try again",
                    type="button",
                    cls="secondary",
                    hx_get=f"/{app_name}/{step_id}",
                    hx_target=f"#{step_id}",
                    hx_swap="outerHTML",
                ),
                cls="actions",
            ),
            folded_trace(trace),
            role="alert",
        ),
        id=step_id,
        data_state="error",
    )


def failure(error: BaseException, trace: str) -> Component:
    """For everything else that failed."""
    return Article(
        H3("Something went wrong"),
        P("What was done before is kept. Reload the page to go on."),
        P(Code(f"{type(error).__name__}: {error}".rstrip(": "))),
        folded_trace(trace),
        data_state="error",
        role="alert",
    )


def gone(plugin: Plugin) -> Component:
    """In place of the cards, when the run was deleted meanwhile."""
    return Div(
        Article(
            H3("This run is not here any more"),
            P("It was deleted, perhaps in another window."),
            P(A("See all runs", href=f"/{plugin.key}", role="button", cls="primary")),
            role="alert",
        ),
        id=widgets.container_id(plugin.app_name),
    )


def notice(text: str) -> Component:
    """One calm line on top of a page."""
    return P(text, cls="notice", role="status")


def folded_trace(trace: str) -> Component:
    """A traceback behind a fold, or None when there is none."""
    if not trace:
        return None
    return Details(Summary("Details for whoever repairs it"), Pre(trace, tabindex="0"))
