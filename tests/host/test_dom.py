import pytest
from bs4 import BeautifulSoup

from pipulate_runtime.host.base.browser import Page, defaults, fill, readable

FORM = """
<form hx-post="/go">
  <input name="text" value="a"><input name="off" value="x" disabled><input value="nameless">
  <input type="checkbox" name="one" checked><input type="checkbox" name="two" value="2">
  <input type="checkbox" name="many" value="m1" checked><input type="checkbox" name="many" value="m2">
  <input type="radio" name="r" value="r1"><input type="radio" name="r" value="r2" checked>
  <select name="s"><option>s1</option><option value="S2">s2</option></select>
  <select name="m" multiple><option>m1</option><option selected>m2</option><option selected>m3</option></select>
  <textarea name="t">lines
of text</textarea><input type="file" name="f"><button name="b">Go</button>
</form>"""


def form():
    return BeautifulSoup(FORM, "html.parser").form


def test_a_form_as_it_stands():
    assert defaults(form()) == [
        ("text", "a"),
        ("one", "on"),
        ("many", "m1"),
        ("r", "r2"),
        ("s", "s1"),
        ("m", "m2"),
        ("m", "m3"),
        ("t", "lines\nof text"),
    ]


@pytest.mark.parametrize(
    ("name", "answer", "sent"),
    [
        ("text", "b", ["b"]),
        ("text", "", [""]),
        ("one", "off", []),
        ("two", "yes", ["2"]),
        ("many", "m2\nm1", ["m2", "m1"]),
        ("many", "", []),
        ("m", "m1", ["m1"]),
        ("r", "r1", ["r1"]),
        ("s", "S2", ["S2"]),
    ],
)
def test_a_form_with_an_answer(name, answer, sent):
    assert [value for key, value in fill(form(), {name: answer}) if key == name] == sent


def page(body):
    return Page(f'<main id="m" hx-vals=\'{{"key": "k"}}\' hx-target="#m">{body}</main>')


def test_what_loads_is_asked_once_and_what_polls_again_and_again():
    html = '<p hx-get="/a" hx-trigger="load"></p><p hx-post="/b" hx-trigger="load delay:2s"></p><p hx-get="/c" hx-trigger="every 500ms"></p>'
    loaded = page(html)
    calls = [loaded.pending() for _ in range(4)]
    assert [(c.method, c.path, c.delay) for c in calls] == [
        ("GET", "/a", 0),
        ("POST", "/b", 2),
        ("GET", "/c", 0.5),
        ("GET", "/c", 0.5),
    ]
    assert all(("key", "k") in c.values for c in calls)


def test_a_click_is_nobodys_request():
    assert page('<p hx-get="/a"></p><p hx-get="/b" hx-trigger="click"></p>').pending() is None


@pytest.mark.parametrize(
    ("swap", "headers", "result"),
    [
        ('hx-swap="outerHTML" hx-target="this"', {}, '<b>new</b><i id="i">i</i>'),
        (
            'hx-target="this"',
            {},
            '<p hx-get="/a" hx-target="this" hx-trigger="load"><b>new</b></p><i id="i">i</i>',
        ),
        (
            'hx-swap="outerHTML" hx-target="#i"',
            {},
            '<p hx-get="/a" hx-swap="outerHTML" hx-target="#i" hx-trigger="load">old</p><b>new</b>',
        ),
        ("", {}, "<b>new</b>"),
        (
            "",
            {"HX-Retarget": "#i", "HX-Reswap": "beforeend"},
            '<p hx-get="/a" hx-trigger="load">old</p><i id="i">i<b>new</b></i>',
        ),
        (
            'hx-swap="none"',
            {},
            '<p hx-get="/a" hx-swap="none" hx-trigger="load">old</p><i id="i">i</i>',
        ),
    ],
)
def test_an_answer_lands_where_htmx_puts_it(swap, headers, result):
    before = page(f'<p hx-get="/a" hx-trigger="load" {swap}>old</p><i id="i">i</i>')
    before.swap(before.pending(), "<b>new</b>", headers)
    assert before.by_id("m").decode_contents(formatter=_sorted()) == result


def _sorted():
    from bs4.formatter import HTMLFormatter

    return HTMLFormatter(void_element_close_prefix="")


@pytest.mark.parametrize(
    ("part", "result"),
    [
        ('<i id="i" hx-swap-oob="true">new</i>', '<i id="i">new</i>'),
        ('<u hx-swap-oob="innerHTML:#i">new</u>', '<i id="i">new</i>'),
        ('<u hx-swap-oob="beforeend:#i"><b>new</b></u>', '<i id="i">i<b>new</b></i>'),
        ('<i id="i" hx-swap-oob="delete"></i>', ""),
        ('<i id="nowhere" hx-swap-oob="true">new</i>', '<i id="i">i</i>'),
    ],
)
def test_parts_out_of_band(part, result):
    before = page(
        '<p hx-get="/a" hx-trigger="load" hx-swap="outerHTML" hx-target="this"></p><i id="i">i</i>'
    )
    before.swap(before.pending(), part, {})
    assert before.by_id("m").decode_contents() == result


def test_a_table_is_read_by_rows():
    html = "<div><table><tr><th></th><th>name</th></tr><tr><th>0</th><td>Zoë  B</td></tr></table></div>"
    assert readable(BeautifulSoup(html, "html.parser")).splitlines() == ["     name", "0  Zoë  B"]
