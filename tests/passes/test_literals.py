"""Values as Python text: they evaluate to themselves, and black leaves them as they are."""

import ast
from textwrap import dedent

import black
import pytest
from black.mode import Mode
from hypothesis import given, settings
from hypothesis import strategies as st

from transpiler.python.literals import block, in_comment, in_docstring, literal, string

ANY_TEXT = st.text() | st.text(st.sampled_from("\"'\\ \n\tan{}x\x00\x0c\r\u2028\u202e🎉"))
WIDE = Mode(line_length=100_000)


def unchanged_by_black(code: str) -> bool:
    return black.format_str(code, mode=WIDE) == code


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "None"),
        (True, "True"),
        (5, "5"),
        (-1.5, "-1.5"),
        (1e300, "1e300"),
        (float("inf"), 'float("inf")'),
        (float("nan"), 'float("nan")'),
        ("a", '"a"'),
        ("it's", '"it\'s"'),
        ('say "a"', "'say \"a\"'"),
        ("both ' and \"", '"both \' and \\""'),
        ("line\nline", '"line\\nline"'),
        ("back\\slash", '"back\\\\slash"'),
        ("🎉 größe", '"🎉 größe"'),
        ("\u202e", '"\\u202e"'),
        ("\ud83d", '"\\ud83d"'),
        ([], "[]"),
        (["a", 1], '["a", 1]'),
        ((), "()"),
        (("a",), '("a",)'),
        (("a", 2), '("a", 2)'),
        ({"a": [None, {"b": 1.5}]}, '{"a": [None, {"b": 1.5}]}'),
    ],
)
def test_a_value_is_written_as_black_writes_it(value: object, text: str) -> None:
    assert literal(value) == text


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=6,
)


@given(JSON)
@settings(deadline=None, derandomize=True, max_examples=150)
def test_a_literal_is_its_value_and_blacks_fixpoint(value: object) -> None:
    text = literal(value)
    assert "\n" not in text
    assert ast.literal_eval(text) == value
    assert unchanged_by_black(f"x = {text}\n")


@given(ANY_TEXT)
@settings(deadline=None, derandomize=True, max_examples=200)
def test_a_string_is_its_text_and_blacks_fixpoint(text: str) -> None:
    written = string(text)
    assert written.isprintable()
    assert ast.literal_eval(written) == text
    assert unchanged_by_black(f"x = {written}\n")


def value_of(written: str) -> str:
    """What `dedent(...)` or a literal gives at run time."""
    return eval(written, {"dedent": dedent})


def without_line_ends(text: str) -> str:
    return "\n".join(line.rstrip(" ") for line in text.split("\n")).rstrip("\n")


@pytest.mark.parametrize(
    "text",
    [
        "one\ntwo",
        "one\n\n\ntwo\n",
        "one\n    indented\n  less",
        'quotes """ and """"""\nx',
        'ends in "\n"',
        "ends in \\\n\\",
        "\\n is not a line\nend",
        "{{ jinja }}\n{% raw %}",
        "a  \nb   ",
        "x\n__steps__()\n",
        "\n\n",
        "漢字\nשלום",
    ],
)
def test_a_text_of_several_lines_is_a_block_that_gives_it_back(text: str) -> None:
    written = block(text, 4)
    assert written.startswith('dedent("""\\\n')
    assert without_line_ends(value_of(written)) == without_line_ends(text)


@pytest.mark.parametrize(
    "text",
    [
        "one line",
        "",
        "    all\n    indented",
        "tab\n\tx",
        "form feed\n\x0cx",
        "carriage\r\nreturn",
        "separator\n\u2028x",
        "nul\n\x00",
    ],
)
def test_what_a_block_would_change_is_a_literal_on_one_line(text: str) -> None:
    assert block(text, 4) == string(text)


@given(st.lists(st.text(st.sampled_from("\"\\' ab{}\t")), max_size=5), st.sampled_from([4, 16]))
@settings(deadline=None, derandomize=True, max_examples=200)
def test_a_block_gives_its_text_back_and_is_blacks_fixpoint(lines: list[str], indent: int) -> None:
    text = "\n".join(lines)
    written = block(text, indent)
    given_back = value_of(written)
    if written.startswith("dedent"):
        assert without_line_ends(given_back) == without_line_ends(text)
    else:
        assert given_back == text
    depth = indent // 4
    head = "".join(f"{'    ' * level}if x:\n" for level in range(depth))
    assert unchanged_by_black(f"{head}{' ' * indent}x = {written}\n")


@given(ANY_TEXT)
@settings(deadline=None, derandomize=True, max_examples=200)
def test_a_text_in_a_docstring_or_a_comment_stays_inside(text: str) -> None:
    compile(
        f'"""The workflow "{in_docstring(text)}" of it."""\n# {in_comment(text)}\n', "x", "exec"
    )
    tree = ast.parse(f'"""The workflow "{in_docstring(text)}" of it."""\n# {in_comment(text)}\n')
    assert len(tree.body) == 1
    assert in_comment(text).isprintable()
