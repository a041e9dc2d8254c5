"""Interactive outputs of real libraries, drawn by a real browser in their frames, without the network."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fasthtml.common import Body, Head, Html, Script, Style, to_xml
from starlette.responses import HTMLResponse

from pipulate_runtime.cells import configure, stylesheet
from pipulate_runtime.cells.kernel import pool
from pipulate_runtime.cells.page import chart_scripts
from tests.cells.conftest import maker, run
from tests.conftest import CHROMIUM
from tests.host.helpers import free_port

pytestmark = [pytest.mark.browser, pytest.mark.kernel]

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-quic",
]

CHARTS = {
    "plotly": """
        import plotly.express as px
        return px.bar(x=["a", "b"], y=[1, 3])
        """,
    "plotly_html": """
        from IPython.display import HTML
        import plotly.express as px, plotly.io as pio
        return HTML(pio.to_html(px.line(x=[1, 2], y=[1, 3]), include_plotlyjs="cdn", full_html=False))
        """,
    "altair": """
        global chart, alt
        import altair as alt, pandas as pd
        chart = alt.Chart(pd.DataFrame({"a": [1, 2], "b": [3, 4]})).mark_bar().encode(x="a", y="b")
        return chart
        """,
    "altair_mime": """
        alt.renderers.enable("mimetype")
        return chart
        """,
    "bokeh": """
        from bokeh.io import output_notebook
        from bokeh.plotting import figure, show
        output_notebook()
        plot = figure(width=300, height=200)
        plot.line([1, 2, 3], [3, 1, 2])
        show(plot)
        """,
    "script": """
        from IPython.display import HTML
        return HTML("<div id=drawn></div><script>drawn.innerHTML = '<svg width=9 height=9></svg>'</script>")
        """,
    "wide": """
        from IPython.display import HTML
        row = "<tr>" + "<td style='white-space: nowrap'>as wide as this</td>" * 30 + "</tr>"
        return HTML(f"<table>{row * 20}</table><svg width=9 height=9></svg><script>const root = 1</script>")
        """,
    "leak": """
        from IPython.display import HTML
        return HTML('''<svg></svg><img src="http://example.org/leak.png"><script src="http://example.org/leak.js"></script>
            <script>fetch("http://example.org/leak").catch(() => 0); new Image().src = "http://example.org/leak2";
            try { parent.document.title = "taken" } catch (e) { document.title = "kept" }</script>''')
        """,
}

# The part of the host's script that fits a frame to its content
FIT = """
addEventListener("message", event => {
  for (const frame of document.querySelectorAll("iframe[data-frame]"))
    if (frame.contentWindow === event.source && event.data.pipulateFrame)
      frame.style.height = event.data.pipulateFrame + "px";
});
"""


@contextmanager
def served(app: Any) -> Iterator[str]:
    """Serve an app on a free port."""
    import uvicorn

    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(
            executable_path=CHROMIUM, args=FLAGS, ignore_default_args=["--hide-scrollbars"]
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> Iterator[tuple[str, Any]]:
    """The address of pages with a chart each, which cells of one step have made, and a browser."""
    for package in ("plotly", "altair", "vl_convert", "bokeh"):
        pytest.importorskip(package)
    folder = tmp_path_factory.mktemp("charts")
    before = dict(vars(pool.settings))
    configure(data=folder / "data", max_kernels=8, idle_seconds=600)
    walker = maker(folder)(
        "".join(f'\n@cell("{n}")\ndef step_01_cell_{n}(form):{CHARTS[n]}\n' for n in CHARTS)
    )
    run(walker.walk({}))
    made = walker.pip.read_state("k")["step_01"]["_cells"]
    shown = [walker.plugin.cells.show("k", [cell]) for cell in made]
    html = [to_xml(Html(Head(Script(FIT), Style(stylesheet())), Body(one))) for one in shown]
    of_chart = dict(zip(CHARTS, html, strict=True))

    def page(name: str) -> HTMLResponse:
        return HTMLResponse(of_chart[name])

    walker.plugin.app.route("/page/{name}")(page)
    with served(walker.plugin.app) as address, browser() as chromium:
        yield address, chromium
    vars(pool.settings).clear()
    vars(pool.settings).update(before)


@pytest.mark.parametrize("name", CHARTS)
def test_a_chart_is_drawn(pages, name):
    address, chromium = pages
    tab = chromium.new_page()
    answered, refused, problems = [], [], []
    tab.on("requestfinished", lambda request: answered.append(request.url))
    tab.on("requestfailed", lambda request: refused.append((request.url, request.failure)))
    tab.on("pageerror", lambda error: problems.append(str(error)))
    tab.goto(f"{address}/page/{name}")
    assert tab.locator("iframe").count() == 1
    frame = tab.frame_locator("iframe")
    frame.locator("svg, canvas").first.wait_for(state="attached", timeout=20_000)
    tab.wait_for_function("document.querySelector('iframe').style.height != '480px'")
    if name == "wide":  # the bar to scroll it sideways takes room, too
        room = "e => [innerHeight - e.clientHeight, e.scrollHeight - e.clientHeight]"
        bar, hidden = frame.locator("html").evaluate(room)
        assert bar > 0 >= hidden
    assert problems == []
    assert [url for url in answered if not url.startswith((address, "data:", "blob:"))] == []
    if name == "leak":
        assert {reason for url, reason in refused if "leak" in url} == {"csp"}
        assert len(refused) >= 3
    assert tab.title() != "taken"
    tab.close()


def test_the_libraries_of_the_installed_packages_are_found():
    assert chart_scripts.available("plotly")
    assert chart_scripts.available("bokeh")
    for name in chart_scripts.BOKEH:
        assert len(chart_scripts.content(name)) > 1000
