"""Words of the notebook made into names."""

import keyword

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transpiler.model import names


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("trip", "trip"),
        ("sales_report", "sales_report"),
        ("Sales Report", "sales_report"),
        ("sales-report.v2", "sales_report_v2"),
        ("Größe (cm)", "grosse_cm"),
        ("café", "cafe"),
        ("010_trip", "trip"),
        ("01_02_trip", "trip"),
        ("2024", "notebook_2024"),
        ("3d plot", "notebook_3d_plot"),
        ("3dplot", "notebook_3dplot"),
        ("class", "notebook_class"),
        ("None", "none"),
        ("list", "list"),
        ("旅行", "notebook"),
        ("🎉", "notebook"),
        ("", "notebook"),
        ("  __  ", "notebook"),
        ("../../etc/passwd", "etc_passwd"),
        ("x" * 300, "x" * 80),
        ("a " * 300, "_".join("a" * 40)),
    ],
)
def test_a_text_becomes_a_slug(text: str, slug: str) -> None:
    assert names.slug(text) == slug


@given(st.text())
def test_every_slug_is_a_name_and_stays_what_it_is(text: str) -> None:
    made = names.slug(text)
    assert made.isidentifier()
    assert made.isascii()
    assert made == made.lower()
    assert len(made) <= 90
    assert not keyword.iskeyword(made)
    assert names.slug(made) == made


@pytest.mark.parametrize(
    ("slug", "name"),
    [
        ("sales_report", "SalesReport"),
        ("trip", "Trip"),
        ("a", "AWorkflow"),
        ("h3", "H3Workflow"),
        ("step", "StepWorkflow"),
        ("cells", "CellsWorkflow"),
        ("form", "FormWorkflow"),
        ("true", "TrueWorkflow"),
        ("v2_0", "V20"),
    ],
)
def test_a_slug_becomes_a_class_name(slug: str, name: str) -> None:
    assert names.class_name(slug) == name


@given(st.text())
def test_a_class_name_is_a_name_that_nothing_else_in_the_module_has(text: str) -> None:
    made = names.class_name(names.slug(text))
    assert made.isidentifier()
    assert made not in names.TAKEN
    assert not keyword.iskeyword(made)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("limit", "Limit"),
        ("min_amount", "Min amount"),
        ("salesReport-2024", "Sales report 2024"),
        ("URL", "Url"),
        ("base_URL", "Base URL"),
        ("x", "X"),
        ("", ""),
        ("größe", "Größe"),
    ],
)
def test_a_name_is_written_as_people_write(name: str, words: str) -> None:
    assert names.in_words(name) == words
