"""The contract as types: the host satisfies it, plugins use nothing beyond it, the page about it names all of it."""

import ast
import inspect
import re
from pathlib import Path

import pytest

from pipulate_runtime.host.base import contract
from pipulate_runtime.host.plugin_api.api import Pipulate
from pipulate_runtime.host.state.history import History
from pipulate_runtime.host.state.request_run import KeyValueStore
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "host-contract.md").read_text(encoding="utf-8")
GENERATED = sorted((ROOT / "generated").glob("*.py"))
WRITTEN = sorted((Path(__file__).parent / "plugins").glob("*.py"))
OURS = {
    contract.Pipulate: Pipulate,
    contract.KeyValues: KeyValueStore,
    contract.MessageQueue: History,
}
# the ways in which plugins reach `pip` and what it gives
OWNERS = {
    "pip": contract.Pipulate,
    "pipulate": contract.Pipulate,
    "pipulate_instance": contract.Pipulate,
    "pip.db": contract.KeyValues,
    "pipulate.db": contract.KeyValues,
    "db": contract.KeyValues,
    "pipeline": contract.Runs,
    "message_queue": contract.MessageQueue,
    "pip.message_queue": contract.MessageQueue,
}


def members(cls):
    """Names of a Protocol's members, without those that Python or typing adds."""
    own = {
        name
        for name in vars(cls)
        if not name.startswith("_") or name in ("__getitem__", "__setitem__", "__delitem__")
    }
    return own | set(cls.__annotations__)


def shape(function):
    """What callers see of a function: names, kinds and defaults of its parameters, and whether it is awaited."""
    parameters = list(inspect.signature(function).parameters.values())[1:]
    seen = [
        (p.name if p.kind is not p.POSITIONAL_ONLY else "", p.kind.name, p.default)
        for p in parameters
    ]
    return seen, inspect.iscoroutinefunction(function)


CALLS = [
    (protocol, name)
    for protocol in OURS
    for name in sorted(members(protocol))
    if inspect.isfunction(getattr(protocol, name, None))
]


@pytest.mark.parametrize(("protocol", "name"), CALLS, ids=lambda v: getattr(v, "__name__", v))
def test_the_host_takes_what_the_contract_says(protocol, name):
    wanted, awaited = shape(getattr(protocol, name))
    real, real_awaited = shape(getattr(OURS[protocol], name))
    if protocol is contract.KeyValues:  # the contract takes names by position only
        real = [("", "POSITIONAL_ONLY", default) for _, _, default in real]
    assert real == wanted
    assert real_awaited == awaited


def test_what_is_no_method_is_there_too(store):
    made = Pipulate(store)
    assert isinstance(made.UNLOCK_BUTTON_LABEL, str)
    assert isinstance(made.db, KeyValueStore)
    assert made.message_queue is made.get_message_queue()


def test_the_table_of_runs_can_be_filtered_and_asked(store):
    store.create("a", "one", {})
    store.create("b", "two", {})
    table = store.table("pipeline")
    table.xtra(app_name="two")
    assert [row.pkey for row in table()] == ["b"]
    table.xtra()
    assert len(table()) == 2


def test_the_host_offers_nothing_that_the_contract_does_not_name():
    offered = {name for cls in Pipulate.__mro__[:-1] for name in vars(cls) if name[0] != "_"}
    assert offered <= members(contract.Pipulate)


@pytest.mark.parametrize("name", sorted(members(contract.Pipulate)))
def test_the_page_names_every_member(name):
    rows = "\n".join(line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `"))
    assert re.search(rf"`{name}\b", rows), f"docs/host-contract.md has no row for {name}"


def test_the_page_names_no_member_that_is_not_there():
    table = PAGE.partition("## The members of `pip`")[2].partition("\n## ")[0]
    named = re.findall(r"`(\w+)(?:\([^`]*)?`", "\n".join(
        line.split("|")[1] for line in table.splitlines() if line.startswith("| `")
    ))  # fmt: skip
    assert named
    assert set(named) <= members(contract.Pipulate)


def uses(tree):
    """(owner, member, call or None) for all that a plugin uses of what the host gives it."""
    of_notebook = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and "cell(" in str(list(map(ast.unparse, node.decorator_list)))
        for inner in ast.walk(node)
    }
    calls = {id(node.func): node for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and id(node) not in of_notebook:
            owner = ast.unparse(node.value).removeprefix("self.")
            if owner in OWNERS:
                yield OWNERS[owner], node.attr, calls.get(id(node))


def binds(function, call):
    """Whether a call's arguments fit; what is starred is not known here and fits."""
    if any(isinstance(a, ast.Starred) for a in call.args) or any(not k.arg for k in call.keywords):
        return True
    names = {keyword.arg: None for keyword in call.keywords}
    try:
        inspect.signature(function).bind(None, *[None] * len(call.args), **names)
    except TypeError:
        return False
    return True


@pytest.mark.parametrize("path", [*GENERATED, *WRITTEN], ids=lambda path: path.stem)
def test_a_plugin_calls_nothing_beyond_the_contract(path):
    found = list(uses(ast.parse(path.read_text(encoding="utf-8"))))
    assert found
    for protocol, name, call in found:
        where = f"{path.name}: {protocol.__name__}.{name}"
        assert name in members(protocol), where
        function = getattr(protocol, name, None)
        if call is not None and inspect.isfunction(function):
            assert binds(function, call), f"{where}: {ast.unparse(call)}"


def test_the_plugins_written_from_the_contract_use_all_of_it():
    used = {
        name
        for path in WRITTEN
        for protocol, name, _ in uses(ast.parse(path.read_text(encoding="utf-8")))
        if protocol is contract.Pipulate
    }
    rest = members(contract.Pipulate) - used
    # of these the contract says that none of the simple plugins uses them
    assert rest <= {"log_api_call_details", "stream", "make_singular"}


@pytest.mark.parametrize("path", GENERATED, ids=lambda path: path.stem)
def test_a_step_keeps_its_answer_under_its_done_key(path):
    """CONTRACT 1.6: `state[step.id][step.done]`, and the field's name where there is a field."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    done = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Step":
            given = {
                k.arg: k.value.value for k in node.keywords if isinstance(k.value, ast.Constant)
            }
            done[given["id"]] = given["done"]
    assert list(done)[-1] == "finalize"
    assert done["finalize"] == "finalized"
    kept = {}
    for function in ast.walk(tree):
        if isinstance(function, ast.AsyncFunctionDef) and function.name.endswith("_submit"):
            kept[function.name.removesuffix("_submit")] = keys_kept(function)
    assert {step: name in kept[step] for step, name in done.items() if step != "finalize"} == {
        step: True for step in done if step != "finalize"
    }


def keys_kept(function):
    """The keys that a submit puts into the state of its step: those written out, and those of its form."""
    form = {
        key.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "form"
        for key in node.value.keys
    }
    (saved,) = (
        node.args[0]
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "run.save"
    )
    names = {key.value for key in saved.keys if isinstance(key, ast.Constant)}
    return names | (form if None in saved.keys else set())


MARKERS = [
    "# --- START_CLASS_ATTRIBUTES_BUNDLE ---",
    "# --- END_CLASS_ATTRIBUTES_BUNDLE ---",
    "# --- STEPS_LIST_INSERTION_POINT ---",
    "# --- STEP_METHODS_INSERTION_POINT ---",
]


@pytest.mark.parametrize("path", GENERATED, ids=lambda path: path.stem)
def test_the_markers_of_upstreams_tools_are_where_they_look(path):
    text = path.read_text(encoding="utf-8")
    places = [text.index(marker) for marker in MARKERS]
    assert places == sorted(places)
    assert all(text.count(marker) == 1 for marker in MARKERS)
    starts = re.findall(r"# --- START_STEP_BUNDLE: (step_\w+) ---", text)
    ends = re.findall(r"# --- END_STEP_BUNDLE: (step_\w+) ---", text)
    assert starts == ends == re.findall(r"id=\"(step_\w+)\",\s+done=", text)


CLASSES = """text-invalid text-secondary text-muted text-note primary secondary outline contrast w-full card-container
widget-content custom-card-padding-bg finalized-content inline-button-container inline-button-submit new-key-button
button-revert button-link tree-display-tree tree-display-path overflow-auto mr-sm ml-sm mt-4 mb-4 upload-file-buttons
upload-summary-pre code-block-container textfield-standard textarea-standard marked-widget markdown-body""".split()


@pytest.mark.parametrize("name", CLASSES)
def test_the_style_sheet_knows_the_classes(name):
    sheet = (ROOT / "pipulate_runtime/host/static/host.css").read_text(encoding="utf-8")
    assert re.search(rf"\.{name}\b", sheet)
