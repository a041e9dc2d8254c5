"""Cards that the host shows in place of a step's: errors, with a way to continue."""

from fasthtml.common import H3, A, Article, Button, Code, Details, Div, P, Pre, Summary

from pipulate_runtime.host.base.contract import Component
from pipulate_runtime.host.base.errors import HostError
from pipulate_runtime.host.pages import widgets
from pipulate_runtime.host.plugins.model import Plugin


def error_card(error: HostError) -> Component:
    """A card for an error that the user can correct."""
    return Article(H3(error.message), P(error.remedy), data_state="error", role="alert")


def step_error(app_name: str, step_id: str, error: BaseException, trace: str) -> Component:
    """The card of a step whose handler failed, with a button to try again."""
    return Div(
        Article(
            H3("This step could not be shown"),
            P("The workflow failed here. Your answers so far are saved."),
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
    """A card for any other error."""
    return Article(
        H3("Something went wrong"),
        P("Your answers so far are saved. Reload the page to continue."),
        P(Code(f"{type(error).__name__}: {error}".rstrip(": "))),
        folded_trace(trace),
        data_state="error",
        role="alert",
    )


def deleted_run_card(plugin: Plugin) -> Component:
    """Replaces the cards of a run that was deleted meanwhile."""
    return Div(
        Article(
            H3("This run no longer exists"),
            P("It was deleted, perhaps in another window."),
            P(A("See all runs", href=f"/{plugin.key}", role="button", cls="primary")),
            role="alert",
        ),
        id=widgets.container_id(plugin.app_name),
    )


def folded_trace(trace: str) -> Component:
    """A traceback in a fold, or None without one."""
    if not trace:
        return None
    return Details(Summary("Technical details"), Pre(trace, tabindex="0"))
