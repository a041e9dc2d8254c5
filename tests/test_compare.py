"""What counts as a difference between a notebook and its app, and what does not."""

import base64
import io
from typing import Any

import pytest

from transpiler.verify.compare import Outputs, compare, normalise

PIL = pytest.importorskip("PIL.Image")


def out(text: str, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def err(text: str) -> dict[str, Any]:
    return out(text, "stderr")


def shown(kind: str = "display_data", **data: Any) -> dict[str, Any]:
    """`html="<b>"` stands for text/html, and so on."""
    mimes = {
        "plain": "text/plain",
        "html": "text/html",
        "png": "image/png",
        "json": "application/json",
    }
    return {
        "output_type": kind,
        "data": {mimes[name]: value for name, value in data.items()},
        "metadata": {},
    }


def result(**data: Any) -> dict[str, Any]:
    return {**shown("execute_result", **data), "execution_count": 7}


def raised(name: str, value: str, trace: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"output_type": "error", "ename": name, "evalue": value, "traceback": list(trace)}


def png(colour: str = "red", level: int = 6, size: tuple[int, int] = (4, 3)) -> str:
    """A picture, compressed more or less."""
    buffer = io.BytesIO()
    PIL.new("RGB", size, colour).save(buffer, "PNG", compress_level=level)
    return base64.b64encode(buffer.getvalue()).decode()


SAME: list[tuple[str, Outputs, Outputs]] = [
    ("nothing", [], []),
    ("text in pieces", [out("a\nb\n")], [out("a\n"), out("b\n")]),
    ("text as a list of lines", [{**out(""), "text": ["a\n", "b\n"]}], [out("a\nb\n")]),
    ("errors between the text", [out("a\n"), err("!"), out("b\n")], [out("a\nb\n"), err("!")]),
    (
        "another number of execution",
        [result(plain="1")],
        [{**result(plain="1"), "execution_count": 9}],
    ),
    ("other metadata", [shown(plain="1")], [{**shown(plain="1"), "metadata": {"x": 1}}]),
    (
        "an address",
        [result(plain="<A at 0x7f0c5c0b2d90>")],
        [result(plain="<A at 0x7fff00000000>")],
    ),
    ("a picture packed otherwise", [shown(png=png(level=0))], [shown(png=png(level=9))]),
    ("a picture ending in a new line", [shown(png=png())], [shown(png=png() + "\n")]),
    ("another traceback", [raised("E", "x", ("in cell",))], [raised("E", "x", ("in app",))]),
    ("keys in another order", [shown(json={"a": 1, "b": 2})], [shown(json={"b": 2, "a": 1})]),
    ("a bar drawn less often", [err("1%\r50%\r100%\n")], [err("1%\r100%\n")]),
]


@pytest.mark.parametrize(("notebook", "app"), [case[1:] for case in SAME], ids=[c[0] for c in SAME])
def test_same(notebook: Outputs, app: Outputs) -> None:
    assert compare([notebook, notebook], app).kind == "same"
    assert compare([app, app], notebook).kind == "same"


DIFFERS: list[tuple[str, Outputs, Outputs, str]] = [
    ("text", [out("a\n")], [out("b\n")], "stdout, line 1: 'a' in the notebook, 'b' in the app"),
    (
        "a later line",
        [out("a\nb\nc\n")],
        [out("a\nX\nc\n")],
        "stdout, line 2: 'b' in the notebook, 'X' in the app",
    ),
    (
        "a line less",
        [out("a\nb\n")],
        [out("a\n")],
        "stdout, line 2: 'b' in the notebook, '' in the app",
    ),
    (
        "an end of line",
        [out("a\n")],
        [out("a")],
        "stdout, line 2: '' in the notebook, no such line in the app",
    ),
    ("no text", [out("a\n")], [], "stdout: a in the notebook, nothing in the app"),
    ("the stream", [out("a\n")], [err("a\n")], "stdout: a in the notebook, nothing in the app"),
    (
        "no result",
        [result(plain="1")],
        [],
        "output 1: execute_result of text/plain in the notebook, nothing in the app",
    ),
    (
        "a value",
        [result(plain="1")],
        [result(plain="2")],
        "output 1, text/plain: '1' in the notebook, '2' in the app",
    ),
    (
        "a display for a result",
        [result(plain="1")],
        [shown(plain="1")],
        "output 1: 'execute_result of text/plain'",
    ),
    (
        "a type more",
        [shown(plain="1")],
        [shown(plain="1", html="<b>1")],
        "output 1: 'display_data of text/plain'",
    ),
    (
        "HTML",
        [shown(plain="1", html="<b>1")],
        [shown(plain="1", html="<b>2")],
        "output 1, text/html: '<b>1'",
    ),
    (
        "the second",
        [shown(plain="1"), shown(plain="2")],
        [shown(plain="1"), shown(plain="3")],
        "output 2, text/plain",
    ),
    (
        "the order of two",
        [shown(plain="1"), shown(plain="2")],
        [shown(plain="2"), shown(plain="1")],
        "output 1",
    ),
    (
        "text after, not before",
        [out("a\n"), shown(plain="1")],
        [shown(plain="1"), out("a\n")],
        "order: 'stdout, display_data'",
    ),
    (
        "an error",
        [],
        [raised("ValueError", "x")],
        "error: nothing in the notebook, ValueError: x in the app",
    ),
    ("its name", [raised("KeyError", "x")], [raised("ValueError", "x")], "error: 'KeyError: x'"),
    (
        "its value",
        [raised("E", "x")],
        [raised("E", "y")],
        "error: 'E: x' in the notebook, 'E: y' in the app",
    ),
    (
        "pixels",
        [shown(png=png("red"))],
        [shown(png=png("blue"))],
        "output 1, image/png: 12 of 12 pixels are others",
    ),
    (
        "a size",
        [shown(png=png())],
        [shown(png=png(size=(5, 3)))],
        "image/png: 4 by 3 pixels in the notebook, 5 by 3",
    ),
    (
        "an address for a number",
        [result(plain="at 0x7f0c5c0b2d90")],
        [result(plain="at 5")],
        "output 1",
    ),
]


@pytest.mark.parametrize(
    ("notebook", "app", "said"), [case[1:] for case in DIFFERS], ids=[c[0] for c in DIFFERS]
)
def test_differs(notebook: Outputs, app: Outputs, said: str) -> None:
    verdict = compare([notebook, notebook], app)
    assert verdict.kind == "differs"
    assert said in verdict.difference
    assert "\n" not in verdict.difference
    assert compare([app, app], notebook).kind == "differs"


MOVING: list[tuple[str, Outputs, Outputs, Outputs, str]] = [
    ("a number", [out("0.1\n")], [out("0.2\n")], [out("0.3\n")], "not reproducible"),
    ("as the second time", [out("0.1\n")], [out("0.2\n")], [out("0.2\n")], "same"),
    ("a line of three", [out("a\n1\n")], [out("a\n2\n")], [out("a\n3\n")], "not reproducible"),
    ("and a line that does not move", [out("a\n1\n")], [out("a\n2\n")], [out("b\n3\n")], "differs"),
    ("and a line more", [out("a\n1\n")], [out("a\n2\n")], [out("a\n3\nx\n")], "differs"),
    ("a number of lines", [out("a\n")], [out("a\na\n")], [out("a\na\na\n")], "not reproducible"),
    (
        "an output",
        [out("1\n"), result(plain="x")],
        [out("2\n"), result(plain="x")],
        [out("3\n"), result(plain="y")],
        "differs",
    ),
    ("whether there is one", [shown(plain="1")], [], [shown(plain="2")], "not reproducible"),
    (
        "a picture",
        [shown(png=png("red"))],
        [shown(png=png("blue"))],
        [shown(png=png("green"))],
        "not reproducible",
    ),
    ("an error", [raised("E", "1")], [raised("E", "2")], [raised("E", "3")], "not reproducible"),
]


@pytest.mark.parametrize(
    ("first", "second", "app", "kind"), [case[1:] for case in MOVING], ids=[c[0] for c in MOVING]
)
def test_what_two_executions_do_not_agree_about_is_left_out(
    first: Outputs, second: Outputs, app: Outputs, kind: str
) -> None:
    assert compare([first, second], app).kind == kind


def test_a_difference_is_quoted_where_it_is() -> None:
    long = "x" * 500
    said = compare([[out(f"{long}a{long}")]], [out(f"{long}b{long}")]).difference
    assert "xa" in said
    assert "xb" in said
    assert len(said) < 250


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CPU times: user 3 µs, sys: 1 µs, total: 4 µs", "CPU times: user 2 s, sys: 9 ms, total: 2.01 s"),
        ("Wall time: 5.72 µs", "Wall time: 1min 3s"),
        ("Wall time: 1e+03 ns", "Wall time: 2 s"),
        (
            "15.2 ns ± 0.1 ns per loop (mean ± std. dev. of 7 runs, 100,000,000 loops each)",
            "1.02 µs ± 21.3 ns per loop (mean ± std. dev. of 7 runs, 1,000,000 loops each)",
        ),
        ("100%|██| 5/5 [00:00<00:00, 4999.17it/s]", "100%|██| 5/5 [00:02<00:00,  2.17it/s]"),
        ("/tmp/ipykernel_12/345.py:3: UserWarning: x", "/tmp/ipykernel_99/6.py:3: UserWarning: x"),
        ('<div id="a3f1c22b-1111-4222-8333-123456789abc">', '<div id="ffffffff-1111-4222-8333-123456789abc">'),
        ('<div id="altair-viz-0123456789abcdef0123456789abcdef">', '<div id="altair-viz-' + "f" * 32 + '">'),
        ('<style>#T_1a2b3_row0_col1 {}</style>', '<style>#T_9f8e7_row0_col1 {}</style>'),
        ('<path id="m0123456789"/><use href="#m0123456789"/>', '<path id="mabcdefabcd"/><use href="#mabcdefabcd"/>'),
        ("<dc:date>2026-11-21T03:38:02</dc:date>", "<dc:date>2026-11-21T03:39:11</dc:date>"),
        ('<div id="sk-container-id-1">', '<div id="sk-container-id-12">'),
    ],
)  # fmt: skip
def test_what_is_never_twice_the_same_is_made_equal(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("0xff", "0xfe"),
        ("Wall time: long", "Wall time: short"),
        ("5 ms", "6 ms"),
        ("T_1", "T_2"),
        ("5f0c2a97", "5f0c2a98"),
        ("[00:01]", "[00:02]"),
        ('"m0123456789"', '"mabcdefabcd"'),
    ],
)
def test_what_only_looks_like_it_is_not(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)


def test_a_warning_names_the_app_s_file_and_the_notebook_s_cell() -> None:
    notebook = [err("/tmp/ipykernel_12/345.py:3: UserWarning: x\n  warn('x')\nmore\n")]
    app = [err('trip.py:210: UserWarning: x\n  warn("x")\nmore\n')]
    assert compare([notebook], app, "trip.py").kind == "same"
    assert compare([notebook], app, "other.py").kind == "differs"
    other = [err('trip.py:210: UserWarning: y\n  warn("x")\nmore\n')]
    assert compare([notebook], other, "trip.py").kind == "differs"


def test_a_warning_of_several_lines_quotes_its_line_below_them() -> None:
    said = "345.py:3: UserWarning: x\n\nSee the docs.\n  old('x',b=[1,2])\nmore\n"
    notebook = [err(f"/tmp/ipykernel_12/{said}")]
    app = 'trip.py:210: UserWarning: x\n\nSee the docs.\n  return old("x", b=[1, 2])\nmore\n'
    assert compare([notebook], [err(app)], "trip.py").kind == "same"
    for word in ("docs", "more"):
        assert compare([notebook], [err(app.replace(word, "?"))], "trip.py").kind == "differs"
    two = "{0}:1: UserWarning: a\n{0}:2: UserWarning: b\n  {1}\n"
    notebook = [err(two.format("/tmp/ipykernel_12/345.py", "f(1)"))]
    app = two.format("trip.py", "f( 1 )")
    assert compare([notebook], [err(app)], "trip.py").kind == "same"
    app = app.replace("UserWarning: a", "UserWarning: c")
    assert compare([notebook], [err(app)], "trip.py").kind == "differs"


NOTEBOOKS_TRACEBACK = """Traceback (most recent call last):
  File "/tmp/ipykernel_12/345.py", line 2, in <module>
    total(rows,
          0)
    ~~~~~^^^^
  File "/tmp/ipykernel_12/99.py", line 3, in total
    return rows / n
           ~~~~~^~~
  File "/usr/lib/numbers.py", line 5, in divide
    raise error
ZeroDivisionError: division by zero
    indented by the notebook
"""
APPS_TRACEBACK = """Traceback (most recent call last):
  File "trip.py", line 232, in <module>
    return total(rows, 0)
           ^^^^^^^^^^^^^^
  File "trip.py", line 213, in total
    return rows / n
           ~~~~~^~~
  File "/usr/lib/numbers.py", line 5, in divide
    raise error
ZeroDivisionError: division by zero
    indented by the notebook
"""


def test_a_printed_traceback_names_the_app_s_file_and_quotes_the_app_s_code() -> None:
    notebook, app = [err(NOTEBOOKS_TRACEBACK)], [err(APPS_TRACEBACK)]
    assert compare([notebook], app, "trip.py").kind == "same"
    assert compare([notebook], app, "other.py").kind == "differs"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("in total", "in sum_of"),
        ("line 5, in divide", "line 6, in divide"),
        ("    raise error", "    raise other"),
        ("division by zero", "division by 0"),
        ("    indented", "    set in"),
    ],
)
def test_the_rest_of_a_printed_traceback_is_compared(old: str, new: str) -> None:
    assert old in APPS_TRACEBACK
    app = [err(APPS_TRACEBACK.replace(old, new))]
    assert compare([[err(NOTEBOOKS_TRACEBACK)]], app, "trip.py").kind == "differs"


def test_the_frames_of_a_group_are_frames() -> None:
    notebook = '  + Exception Group Traceback:\n  |   File "/tmp/ipykernel_1/2.py", line 1, in <module>\n  |     check()\n  | E: x\n'
    app = '  + Exception Group Traceback:\n  |   File "trip.py", line 9, in <module>\n  |     return check()\n  | E: x\n'
    assert compare([[err(notebook)]], [err(app)], "trip.py").kind == "same"


def test_a_shortened_address_is_an_address() -> None:
    one, other = "&lt;sklearn.tree...x7f67631e0730&gt;", "&lt;sklearn.tree...x7f045e91c7a0&gt;"
    assert normalise(one) == normalise(other)
    assert normalise("wait...deadbeef") == "wait...deadbeef"
