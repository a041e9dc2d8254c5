"""Outputs in the page: what is shown, and what must never get there."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fasthtml.common import to_xml

from pipulate_runtime.cells import stylesheet
from pipulate_runtime.cells.outputs import sanitise, screen
from pipulate_runtime.cells.outputs.collect import error
from pipulate_runtime.cells.page import chart_scripts, frame, render
from pipulate_runtime.cells.storage import folders
from pipulate_runtime.cells.storage.folders import RunFolder


@pytest.fixture
def folder(tmp_path):
    return RunFolder(tmp_path, "app", "key/../with odd: characters")


def shown(folder, *outputs, show="output", **record):
    record = {"id": "c1", "hash": "", "code": "x < 1", "outputs": list(outputs), **record}
    parts = render.View(folder, "app", record, show).parts()
    return to_xml(render.cell_of(record, parts)) if parts else None


def display(**data):
    return {
        "output_type": "display_data",
        "metadata": {},
        "data": {k.replace("__", "/"): v for k, v in data.items()},
    }


def stream(text, name="stdout"):
    return {"output_type": "stream", "name": name, "text": text}


# --- what a page carries for programs ---


def test_every_output_tells_what_it_is(folder):
    html = shown(
        folder,
        stream("a", "stderr"),
        {**display(text__plain="1"), "output_type": "execute_result", "execution_count": 1},
        display(text__html="<b>x</b>", text__plain="x"),
        error("E", "m"),
    )
    tags = [
        dict(re.findall(r'(data-[a-z]+)="([^"]*)"', tag))
        for tag in re.findall(r"<[^>]*data-output[^>]*>", html)
    ]
    assert tags == [
        {"data-cell": "c1", "data-output": "stream", "data-name": "stderr"},
        {"data-cell": "c1", "data-output": "execute_result", "data-mime": "text/plain"},
        {"data-cell": "c1", "data-output": "display_data", "data-mime": "text/html"},
        {"data-cell": "c1", "data-output": "error"},
    ]


@pytest.mark.parametrize(
    ("show", "code", "output"), [("output", 0, 1), ("code", 1, 0), ("both", 1, 1), ("none", 0, 0)]
)
def test_show(folder, show, code, output):
    html = shown(folder, stream("the output"), show=show) or ""
    assert html.count("highlight") == code
    assert html.count("the output") == output


def test_an_error_is_shown_whatever_the_cell_shows(folder):
    for show in ("none", "code"):
        assert "Oh: no" in shown(folder, stream("the output"), error("Oh", "no"), show=show)


def test_nothing_to_show_is_none(folder):
    assert shown(folder) is None
    assert render.all_cells([]) is None


def test_an_error_is_one_line_and_a_fold(folder):
    html = shown(
        folder,
        error("ValueError", "bad <b>\nmore", ["\x1b[31mValueError\x1b[39m: bad <b>", "more"]),
    )
    line, fold = html.split("<details>")
    assert ">ValueError: bad &lt;b&gt;</p>" in line
    assert "more" not in line
    assert "bad &lt;b&gt;\nmore</pre>" in fold
    assert "<details" not in shown(folder, error("KernelDied", "The kernel ended."))


@pytest.mark.parametrize(
    ("data", "mime"),
    [
        ({"text/plain": "1", "text/html": "2"}, "text/html"),
        (
            {"text/html": "2", "application/vnd.plotly.v1+json": {}},
            "application/vnd.plotly.v1+json",
        ),
        (
            {"text/plain": "1", "application/vnd.vegalite.v5+json": {}},
            "application/vnd.vegalite.v5+json",
        ),
        (
            {"text/plain": "1", "application/vnd.vegalite.v6.json": {}},
            "application/vnd.vegalite.v6.json",
        ),
        ({"text/plain": "1", "image/png": "2", "image/svg+xml": "3"}, "image/svg+xml"),
        ({"text/latex": "1", "image/png": "2"}, "text/latex"),
        ({"text/plain": "1", "application/vnd.jupyter.widget-view+json": {}}, "text/plain"),
        ({"text/plain": "1", "application/x-unknown": "2"}, "text/plain"),
        ({"text/x-other": "1"}, "text/x-other"),
        ({"application/x-unknown": "2"}, None),
    ],
)
def test_richest(data, mime):
    assert render.richest(data) == mime


def test_pictures(folder):
    html = shown(
        folder,
        {
            **display(image__png="QUJD\n", text__plain='<Figure "1">'),
            "metadata": {"image/png": {"width": 7}},
        },
    )
    assert 'src="data:image/png;base64,QUJD"' in html
    assert 'width="7"' in html
    assert "alt='&lt;Figure \"1\"&gt;'" in html
    svg = shown(folder, {**display(), "data": {"image/svg+xml": "<svg onload='x'/>"}})
    assert "<svg" not in svg
    assert 'src="data:image/svg+xml;base64,' in svg


def test_large_pictures_have_an_address(folder):
    record = {"id": "c1", "outputs": [display(image__png="QUJD" * 30_000)]}
    folders.offload(folder, record)
    html = shown(folder, *record["outputs"], files=record["files"])
    address = re.search(r'src="/app/output/([^"]+)"', html)[1]
    assert re.fullmatch(r"key_with_odd_characters-[0-9a-f]{10}/[0-9a-f]{32}/png", address)
    assert len(html) < 500


def test_many_payloads_leave_the_row_and_the_page_small(folder):
    picture = "QUJD" * 10_000  # 40 kB, too small to leave the row alone
    record = {"id": "c1", "outputs": [display(image__png=picture) for _ in range(200)]}
    assert len(shown(folder, *record["outputs"])) < 100_000, "while the cell runs"
    folders.offload(folder, record)
    assert len(json.dumps(record)) < 500_000
    assert len(shown(folder, *record["outputs"], files=record["files"])) < 100_000
    whole = folders.load_outputs(folder, record)
    assert [o["data"]["image/png"].strip() for o in whole] == [picture] * 200


def test_of_a_very_long_text_the_page_has_both_ends_and_the_way_to_all(folder):
    text = "first <line>\n" + "x" * 10_000_000 + "\nlast line"
    record = {"id": "c1", "outputs": [stream(text)]}
    assert len(shown(folder, *record["outputs"])) < 300_000, "while the cell runs"
    folders.offload(folder, record)
    html = shown(folder, *record["outputs"], files=record["files"])
    assert len(html) < 300_000
    assert "first &lt;line&gt;" in html
    assert "last line" in html
    digest = re.search(r'href="/app/output/[^/]+/([0-9a-f]{32})/text"', html)[1]
    assert folder.read(f"{digest}.text").decode() == text
    assert len(shown(folder, error("E", "m" * 10_000_000, ["t" * 10_000_000]))) < 500_000


def test_a_file_is_on_the_disk_before_a_row_can_name_it(folder, monkeypatch):
    deeds = []
    monkeypatch.setattr("os.fsync", lambda _number: deeds.append("fsync"))
    monkeypatch.setattr("pathlib.Path.replace", lambda *_paths: deeds.append("replace"))
    folder.keep(b"x", "text")
    assert deeds == ["fsync", "replace"]


def test_two_may_keep_the_same_payload_at_once(folder):
    with ThreadPoolExecutor(8) as threads:
        for number in range(50):
            content = str(number).encode() * 10_000
            names = set(threads.map(lambda _: folder.keep(content, "text"), range(8)))
            assert [folder.read(name) for name in names] == [content]
    assert not [path for path in folder.outputs.iterdir() if path.suffix != ".text"]


def test_text_may_be_a_list_of_lines(folder):
    assert "a\nb" in shown(folder, stream(["a\n", "b"]))


# --- text of a terminal ---

RED = "var(--ansi-red,#d0453f)"


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a < b & c\n", "a &lt; b &amp; c\n"),
        ("1%\r50%\r100%\n", "100%\n"),
        ("long line\rshort", "shortline"),
        ("long line\r\x1b[Kshort", "short"),
        ("a\r\nb", "a\nb"),
        ("ab\bc", "ac"),
        ("one\ntwo\x1b[A\rONE", "ONE\ntwo"),
        ("\x1b[31mred\x1b[0m plain", f'<span style="color:{RED}">red</span> plain'),
        (
            "\x1b[1;31mx\x1b[22my",
            f'<span style="color:{RED};font-weight:bold">x</span><span style="color:{RED}">y</span>',
        ),
        ("\x1b[38;2;1;2;300mx", '<span style="color:#0102ff">x</span>'),
        ("\x1b[38;5;208mx", '<span style="color:#ff8700">x</span>'),
        ("\x1b[48;5;240mx", '<span style="background-color:#585858">x</span>'),
        ("\x1b[91mx\x1b[39my", f'<span style="color:{RED}">x</span>y'),
        ("\x1b[38;5mx\x1b[38mx\x1b[999mx", "xxx"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b[?25lx\x1b[2Jy", "xy"),
        ("\x1b[31m<script>", f'<span style="color:{RED}">&lt;script&gt;</span>'),
    ],
)
def test_terminal_text(text, html):
    assert screen.to_html(text) == html


def luminance(colour):
    parts = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_of_terminals_can_be_read_on_every_ground(theme):
    host = (Path(render.__file__).parents[2] / "host" / "static" / "host.css").read_text()
    values = {
        name: light if theme == "light" else dark
        for name, light, dark in re.findall(
            r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", host
        )
    }
    rules = re.findall(r":root([^{]*)\{([^}]*)\}", stylesheet())
    of_theme = [
        body for root, body in rules if ("dark" in root) == (theme == "dark") and "not(" not in root
    ]
    values |= dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})", " ".join(of_theme)))
    grounds = [values[name] for name in ("paper", "card", "sunken", "bad-soft", "note-soft")]
    colours = {name: value for name, value in values.items() if name.startswith("ansi-")}
    assert len(colours) == 8
    for name, colour in colours.items():
        for ground in grounds:
            dim, bright = sorted([luminance(colour), luminance(ground)])
            assert (bright + 0.05) / (dim + 0.05) >= 4.5, (name, ground)


def test_colours_of_tracebacks_are_those_of_the_theme():
    for index in (
        28,
        66,
        129,
        130,
        132,
        167,
        250,
    ):  # of the comments, names, strings of IPython's styles
        assert "var(--ansi-" in screen.to_html(f"\x1b[38;5;{index}mx\x1b[0m")


def test_one_number_cannot_fill_the_memory():
    assert len(screen.to_html("\x1b[99999B\x1b[99999Cx" * 3)) < 40_000


# --- HTML ---


@pytest.mark.parametrize(
    "text",
    [
        "<img src=x onerror=alert(1)>",
        "<a href='javascript:alert(1)'>x</a>",
        "<a href='data:text/html,<script>1</script>'>x</a>",
        "<div hx-get='/app/revert' hx-trigger='load'>x</div>",
        "<p id='step_01' name='x'>x</p>",
        "<img src='https://example.org/x.png'>",
        "<p style='background-image:url(https://example.org/x)'>x</p>",
        "<p style='position:fixed;top:0'>x</p>",
        "<base href='https://example.org'><meta http-equiv=refresh content='0'>x",
        "<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>",
        "<svg><script>alert(1)</script></svg>",
    ],
)
def test_nothing_active_gets_into_the_page(text):
    cleaned = sanitise.clean(text)
    assert not re.search(
        r"onerror|javascript|data:text|hx-|id=|name=|example\.org|position|script|<style|<base|<meta",
        cleaned,
    )


def test_tables_stay_as_they_are():
    table = '<table border="1" class="dataframe"><thead><tr style="text-align: right;"><th></th><th colspan="2">a</th></tr></thead></table>'
    cleaned = sanitise.clean(f"<div><style scoped>.dataframe tbody {{ x: y }}</style>{table}</div>")
    assert cleaned == f"<div>{table.replace('text-align: right;', 'text-align:right')}</div>"


@pytest.mark.parametrize(
    ("text", "framed"),
    [
        ("<p>text</p>", False),
        ("<div><style scoped>.dataframe td { }</style><table></table></div>", False),
        ("<script>1</script>", True),
        ("<style>#T_1 { color: red }</style><table></table>", True),
        ("<p onclick='x()'>text</p>", True),
        ("<iframe src=x></iframe>", True),
    ],
)
def test_what_needs_a_frame(folder, text, framed):
    html = shown(folder, display(text__html=text))
    assert ("<iframe" in html) == framed
    assert ('sandbox="allow-scripts"' in html) == framed
    assert "<script" not in html


@pytest.mark.parametrize(
    "mark", ["&#xE000;0&#xE001;", "\ue0000\ue001", "&#xE000;7&#xE001;", "0-0-"]
)
def test_no_text_can_name_the_place_of_a_formula(mark):
    html = sanitise.markdown(f'$x^2$ <a title="{mark}" href="https://example.org">a</a>')
    assert html.count("<math") == 1


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("# A\n\n**b**", "<h1>A</h1>\n<p><strong>b</strong></p>"),
        ("a $x^2$ b", "<msup><mi>x</mi><mn>2</mn></msup>"),
        ("$$\nx\n$$", 'display="block"'),
        ("\\begin{align}x\\end{align}", "<math"),
        ("costs 5\\$ or 6\\$", "costs 5$ or 6$"),
        ("| a |\n|---|\n| b |", "<td>b</td>"),
        ("$\\undefined{$ ok", "ok"),
        ("<script>alert(1)</script>x", "x"),
        ("[a](javascript:alert(1))", "a"),
        ("$\\href{javascript:alert(1)}{x}$", "<mi>x</mi>"),
    ],
)
def test_markdown(text, part):
    html = sanitise.markdown(text)
    assert part in html
    assert not re.search(r"<script|href=.javascript", html)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("$$\\frac{1}{2}$$", "<mfrac>"),
        ("$\\displaystyle x$", 'display="block"'),
        ("$x$", 'display="inline"'),
        ("\\begin{align}x\\end{align}", "<math"),
        ("see $x$ and $y$", "<p>see <math"),
        ("$\\frac{$", "<code>\\frac{</code>"),
        ("$<b>$", "&lt;"),
    ],
)
def test_latex(text, part):
    assert part in sanitise.latex(text)


# --- frames ---


YOUTUBE = """
        <iframe
            width="400"
            height="300"
            src="https://www.youtube.com/embed/a?b=1&amp;c=2"
            frameborder="0"
            allowfullscreen

        ></iframe>
        """
MAP = """<div style="width:100%"><iframe srcdoc="&lt;!DOCTYPE html&gt;&lt;head&gt;&lt;script&gt;
L = '&lt;img src=https://in.a.text/&gt;'&lt;/script&gt;&lt;script src=&quot;https://cdn.jsdelivr.net/npm/leaflet.js&quot;&gt;&lt;/script&gt;
&lt;link rel=stylesheet href=&#x27;//netdna.example/a.css&#x27;/&gt;&lt;a href=&quot;https://leafletjs.com&quot;&gt;&lt;/head&gt;"></iframe></div>"""
PLOT = """<div><script src="https://cdn.plot.ly/plotly-3.0.0.min.js"></script><script>"<img src='https://not.a.tag/'>"</script></div>"""


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        (YOUTUBE, ("https://www.youtube.com/embed/a?b=1&c=2",)),
        (MAP, ("https://cdn.jsdelivr.net/npm/leaflet.js", "//netdna.example/a.css")),
        (PLOT, ()),
        ("<style>a {}</style><a href='https://example.org'>there</a>", ()),
        ("<video src=https://example.org/a.mp4></video>", ("https://example.org/a.mp4",)),
        ("<iframe src='files/a.html'></iframe>", ()),
    ],
)
def test_what_is_loaded_from_elsewhere(text, addresses):
    assert frame.elsewhere(text) == addresses


def test_what_cannot_be_loaded_is_said(folder):
    page = shown(folder, display(text__html=YOUTUBE))
    assert "a page of www.youtube.com" in page
    assert 'href="https://www.youtube.com/embed/a?b=1&amp;c=2"' in page
    assert "<iframe" not in page, "there would be nothing in it"
    page = shown(folder, display(text__html=MAP))
    assert "<iframe" in page
    assert "Parts of this come from cdn.jsdelivr.net, netdna.example." in page
    assert "come from" not in shown(folder, display(text__html=PLOT))


def test_a_frame_loads_from_this_server_only(folder):
    parts = [
        (frame.PLOTLY, {"data": [{"name": "</script><script>alert(1)"}]}),
        ("application/vnd.vegalite.v5+json", {"mark": "bar"}),
        (frame.BOKEH_EXEC, ""),
        (frame.JAVASCRIPT, "element.x = '</script>'"),
        (frame.HTML, '<script charset="utf-8" src="https://cdn.plot.ly/plotly-3.0.0.min.js" integrity="sha256-x" crossorigin="anonymous"></script>'),
        (frame.HTML, 's = "https://cdn.jsdelivr.net/npm/vega-lite@6.4.1?noext"; src="https://cdn.bokeh.org/bokeh/release/bokeh-widgets-3.9.2.min.js"'),
    ]  # fmt: skip
    page = frame.document(parts, "/app/output/lib")
    assert "https://" not in page
    assert "integrity" not in page
    assert "crossorigin" not in page
    assert "</script><script>alert" not in page
    assert "'<\\/script>'" in page
    assert f"/app/output/lib/plotly?v={chart_scripts.version('plotly')}" in page
    assert f"/app/output/lib/bokeh-widgets?v={chart_scripts.version('bokeh')}" in page


def test_a_chart_whose_library_is_missing_says_so(monkeypatch):
    monkeypatch.setattr(chart_scripts, "available", lambda name: False)
    for mime, data in (
        (frame.PLOTLY, {}),
        ("application/vnd.vega.v5+json", {}),
        (frame.BOKEH_EXEC, ""),
    ):
        assert "is not installed" in frame.document([(mime, data)], "/lib")
    page = frame.document(
        [(frame.HTML, '<script src="https://cdn.plot.ly/plotly-3.0.0.min.js">')], "/lib"
    )
    assert "<code>plotly</code>" in page


def test_bokeh_draws_into_the_html_before_it(folder):
    load = display(text__html="<div>Loading BokehJS ...</div>")
    loader = {**display(), "data": {frame.BOKEH_LOAD: "", frame.JAVASCRIPT: "load()"}}
    div = display(text__html='<div id="p1"></div>')
    script = {**display(), "data": {frame.BOKEH_EXEC: "", frame.JAVASCRIPT: "embed(p1)"}}
    html = shown(folder, load, loader, div, script)
    assert html.count("<iframe") == 1
    (file,) = folder.outputs.iterdir()
    assert "Loading" not in file.read_text()
    assert "p1" in file.read_text()
    assert "embed(p1)" in file.read_text()


VIEW = {"application/vnd.jupyter.widget-view+json": {"model_id": "a"}}


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ("IntSlider(value=3, max=10)", False),
        ("interactive(children=(IntSlider(value=3), Output()))", False),
        ("HBox(children=(Label(value='a'),))", False),
        ("HTML(value='a')", True),
        ("  0%|          | 0/10 [00:00<?, ?it/s]", True),
        ("my.IntSlider()", True),
    ],
)
def test_a_form_stands_in_the_place_of_controls(folder, text, there):
    widget = {"output_type": "display_data", "metadata": {}, "data": {"text/plain": text, **VIEW}}
    plain = {"output_type": "display_data", "metadata": {}, "data": {"text/plain": text}}
    assert ('data-output="display_data"' in str(shown(folder, widget))) is there
    assert 'data-output="display_data"' in str(shown(folder, plain))
