"""The frame of each page, a workflow's landing page, the head of a run, and pages of problems.

The texts are for people who do not read code.
"""

import re
from collections.abc import Sequence
from typing import Any

from fasthtml.common import (
    H1,
    H2,
    A,
    Article,
    Body,
    Button,
    Code,
    Div,
    Footer,
    Form,
    Head,
    Header,
    Html,
    Img,
    Input,
    Label,
    Li,
    Link,
    Main,
    Meta,
    Nav,
    P,
    Script,
    Section,
    Small,
    Span,
    Title,
    Ul,
)

from pipulate_runtime.host.base import markup, security
from pipulate_runtime.host.base.contract import Component
from pipulate_runtime.host.dataflow import svg
from pipulate_runtime.host.dataflow.read_plugin import flow_to_show
from pipulate_runtime.host.pages import cards, outdated, widgets
from pipulate_runtime.host.pages.workflow_runs import progress, run_list
from pipulate_runtime.host.plugins import look
from pipulate_runtime.host.plugins.model import Plugin, Problem, describe
from pipulate_runtime.host.state.run import Run, State

# Error answers are swapped in, too; the browser stores no page.
_HTMX = (
    # No settle delay: within htmx's 20 ms a quick click would send a form without htmx
    '{"defaultSettleDelay":0,'
    '"includeIndicatorStyles":false,"historyCacheSize":0,"refreshOnHistoryMiss":true,"selfRequestsOnly":true,"allowEval":false,'
    '"responseHandling":[{"code":"204","swap":false},{"code":"...","swap":true}]}'
)
THEMES = {"auto": "Auto", "light": "Light", "dark": "Dark"}


def page(
    title: str,
    *content: Component,
    theme: str = "auto",
    menu: Sequence[Component] = (),
    panel: Component = None,
    plugin: Plugin | None = None,
) -> Component:
    """The whole HTML page; `menu` stands in the header, `panel` beside the content. `plugin`: whose page it is."""
    colours = look.colours(plugin.instance) if plugin else None
    return Html(
        Head(
            Meta(charset="utf-8"),
            Meta(name="viewport", content="width=device-width, initial-scale=1"),
            Meta(name="color-scheme", content="light dark"),
            Meta(name="htmx-config", content=_HTMX),
            Title(title),
            Link(rel="icon", href=markup.url("icon.svg"), type="image/svg+xml"),
            Link(rel="stylesheet", href=markup.url(markup.OUTPUTS)),
            Link(rel="stylesheet", href=markup.url("host.css")),
            Link(rel="stylesheet", href=markup.url("panels.css")),
            Script(src=markup.url("htmx.min.js"), defer=True),
            Script(src=markup.url("host.js"), defer=True),
            Script(src=markup.url("plugins.js"), defer=True, nonce=security.page_nonce()),
            Script(src=markup.url("panels.js"), defer=True),
            Script(src=markup.url("ws.js"), defer=True) if panel is not None else None,
        ),
        Body(
            A("Skip to the content", href="#content", cls="skip-link"),
            Header(
                Nav(
                    _brand(plugin),
                    Div(*menu, theme_toggle(theme), cls="menu-bar"),
                    aria_label="Main",
                ),
                cls="site",
            ),
            Main(*content, _contact(plugin), id="content", tabindex="-1"),
            panel,
        ),
        lang="en",
        cls="own-colours" if colours else None,
        style="--own-light: {}; --own-dark: {}".format(*colours) if colours else None,
        data_theme=theme if theme in THEMES else "auto",
    )


def _brand(plugin: Plugin | None) -> Component:
    """The way home: with the logo of a workflow that has one."""
    if plugin and (path := look.logo(plugin)):
        address = f"/static/logo/{plugin.key}?v={path.stat().st_mtime_ns}"
        return A(Img(src=address, alt="All workflows"), href="/", cls="brand own-logo")
    return A(Img(src=markup.url("icon.svg"), alt=""), "Pipulate", href="/", cls="brand")


def _intro(instance: Any) -> Component:
    """What a workflow says below its title on each page, in Markdown."""
    text = look.own_text(instance, "INTRO")
    if not text:
        return None
    from pipulate_runtime.cells.page.render import (
        markdown,
    )  # what only shows upstream's plugins needs it not

    return Div(markdown(text), cls="own-intro")


def _contact(plugin: Plugin | None) -> Component:
    """Whom to ask, at the end of each page of a workflow: an address becomes a link."""
    text = look.own_text(plugin.instance, "CONTACT") if plugin else ""
    if not text:
        return None
    if re.fullmatch(r"[^\s@/]+@[^\s@/]+\.\w+", text):
        shown = A(text, href=f"mailto:{text}")
    elif re.fullmatch(r"https?://\S+", text):
        shown = A(text.partition("://")[2], href=text)
    else:
        shown = text
    return Footer("Questions? ", shown, cls="contact")


def theme_toggle(theme: str) -> Component:
    """The switch between light, dark and the system's colours; the server stores the choice."""
    names = list(THEMES)
    current = theme if theme in THEMES else "auto"
    following = names[(names.index(current) + 1) % len(names)]
    return Form(
        Input(type="hidden", name="theme", value=following),
        Button(
            Span(THEMES[current], cls="theme-name"),
            type="submit",
            cls="theme-button",
            aria_label=f"Colours: {THEMES[current]}. Change to: {THEMES[following]}",
            title=f"Colours: {THEMES[current]}",
        ),
        action="/theme",
        method="post",
        id="theme-toggle",
        hx_post="/theme",
        hx_swap="outerHTML",
    )


# -- problems


def problem_list(problems: Sequence[Problem]) -> Component:
    """The files that cannot be used, and those whose last change cannot."""

    def item(problem: Problem) -> Component:
        address = f"/{problem.key}" if problem.runs else f"/problems/{problem.path.stem}"
        note = " The previous version keeps running." if problem.runs else ""
        return Li(
            A(problem.file or problem.path.name, href=address),
            Span(problem.message + note, cls="meta"),
        )

    return Section(
        H2("Cannot be opened"),
        P("Something is wrong with these files. The other workflows are not affected."),
        Ul(*map(item, problems), cls="problem-list"),
        cls="problems",
        aria_label="Workflows that cannot be opened",
    )


def problem_page(problem: Problem) -> Component:
    where = f"{problem.path.name}, line {problem.line}" if problem.line else problem.path.name
    return Div(
        _back(),
        H1("This workflow cannot be opened"),
        Article(
            H2(where),
            P(Code(problem.message)),
            P(problem.remedy),
            cards.folded_trace(problem.trace),
            data_state="error",
        ),
        P("The other workflows are not affected.", cls="meta"),
    )


def failed_page_head() -> Component:
    return Div(_back(), H1("This page cannot be shown"), H2("Why", cls="only-read"))


def stale_notice(problem: Problem) -> Component:
    """The message above a workflow whose changed file cannot be loaded."""
    name = problem.file or problem.path.name
    where = f"{name}, line {problem.line}" if problem.line else name
    return Article(
        H2(
            f"{name} was saved, but not all of its changes are here"
            if problem.file
            else "The last change cannot be used"
        ),
        P(problem.message) if problem.file else P(Code(where), ": ", Code(problem.message)),
        P("The previous version keeps running. ", problem.remedy),
        cards.folded_trace(problem.trace),
        data_state="error",
        role="status",
    )


def not_found() -> Component:
    return Div(
        H1("Page not found"),
        P("The address may be mistyped, or the workflow was removed.", cls="lead"),
        P(A("See all workflows", href="/", role="button", cls="primary")),
    )


def _back() -> Component:
    return P(A("All workflows", href="/", cls="back"), cls="crumb")


def _flow(plugin: Any, linked: bool = False) -> Component:
    flow = flow_to_show(plugin)
    return svg.fold(flow, linked=linked) if flow else None


# -- landing page


def landing(plugin: Any, suggestion: str, runs: Sequence[Run], total: int) -> Component:
    """A workflow's own page: description, a form to start, its runs. `plugin` is the instance."""
    app_name = plugin.APP_NAME
    description = describe(plugin)
    return Div(
        Div(
            _back(),
            H1(plugin.DISPLAY_NAME),
            P(description, cls="lead") if description else None,
            _intro(plugin),
            _flow(plugin),
            id="run-head",
            cls="page-head",
        ),
        Div(
            _start_form(app_name, suggestion),
            run_list(plugin, runs, total),
            id="landing",
        ),
        Div(id=widgets.container_id(app_name)),
    )


def own_head(plugin: Any) -> Component:
    """The head above a plugin's own landing page without a first heading; the run's head replaces it."""
    return Div(_back(), H1(plugin.DISPLAY_NAME), _intro(plugin), id="run-head", cls="page-head")


def _start_form(app_name: str, suggestion: str) -> Component:
    return Article(
        H2("Start a new run"),
        Form(
            Label("Name of this run", fr="pipeline_id"),
            Div(
                Input(
                    id="pipeline_id",
                    name="pipeline_id",
                    value=suggestion,
                    maxlength="80",
                    autocomplete="off",
                    aria_describedby="pipeline_id-help",
                    required=True,
                ),
                Button("Start", type="submit", cls="primary"),
                cls="inline-button-container",
            ),
            Small(
                "A name to find it by. Your answers are saved as you go.",
                id="pipeline_id-help",
            ),
            hx_post=f"/{app_name}/init",
            hx_target=f"#{widgets.container_id(app_name)}",
            hx_swap="outerHTML",
            hx_disabled_elt="find button",
        ),
        cls="start-card",
    )


# -- a run


def run_head(plugin: Plugin, key: str, name: str, state: State, swap: bool = False) -> Component:
    """The top of a run's page: links back, name, progress."""
    return Div(
        Nav(
            A("All workflows", href="/", cls="back"),
            A("All runs", href=f"/{plugin.key}"),
            cls="crumb",
            aria_label="Where you are",
        ),
        H1(plugin.title),
        P(Span("Run", cls="label"), " ", Span(name, cls="run-name"), cls="run-title"),
        _intro(plugin.instance),
        progress(plugin.steps, state),
        outdated.place(plugin, key, state),
        _flow(plugin.instance, linked=True),
        H2("Steps", cls="only-read"),  # the cards below have headings of level 3
        id="run-head",
        cls="page-head",
        hx_swap_oob="true" if swap else None,
    )


def run_page(plugin: Plugin, key: str, name: str, state: State) -> Component:
    """The page of an existing run: its cards load one after the other."""
    return Div(
        run_head(plugin, key, name, state), widgets.container(plugin.app_name, plugin.steps, key)
    )
