import asyncio
import inspect
from collections import namedtuple
from types import SimpleNamespace

import pytest
from fasthtml.common import P, to_xml

from pipulate_runtime.host.base import contract
from pipulate_runtime.host.base.errors import HostError
from pipulate_runtime.host.plugin_api.api import Pipulate
from pipulate_runtime.host.state import request_run
from pipulate_runtime.host.state.history import HISTORY
from pipulate_runtime.host.state.store import StateStore

Step = namedtuple("Step", ["id", "done", "show", "refill", "transform"], defaults=(None,))
STEPS = [
    Step("step_01", "name", "Your name", False),
    Step("step_02", "age", "Your age", True),
    Step("step_03", "ran", "Result", False),
    Step("finalize", "finalized", "Finalize", False),
]
PLUGIN = SimpleNamespace(APP_NAME="my-app", DISPLAY_NAME="My app", name="my_app", steps=STEPS)
FALSY = [0, False, "", [], {}, None]


@pytest.fixture
def pip(store):
    request_run.bind("")
    return Pipulate(store)


@pytest.fixture
def key(pip):
    made, _, _ = pip.generate_pipeline_key(PLUGIN)
    pip.db["pipeline_id"] = made
    pip.initialize_if_missing(made, {"app_name": "my-app"})
    return made


def wait(coroutine):
    return asyncio.run(coroutine)


def members(cls):
    names = {name for name in vars(cls) if not name.startswith("_")}
    return names | set(cls.__annotations__)


def test_every_member_of_the_contract_is_there_and_takes_its_arguments(pip):
    for name in members(contract.Pipulate):
        assert hasattr(pip, name), name
        declared = getattr(contract.Pipulate, name, None)
        if inspect.isfunction(declared):
            real = inspect.signature(getattr(pip, name))
            for parameter in list(inspect.signature(declared).parameters.values())[1:]:
                if parameter.kind is not parameter.VAR_KEYWORD:
                    assert parameter.name in real.parameters, f"{name}({parameter.name})"
            assert inspect.iscoroutinefunction(declared) == inspect.iscoroutinefunction(
                getattr(pip, name)
            )


@pytest.mark.parametrize("value", FALSY)
def test_an_answer_that_is_nothing_is_an_answer(pip, key, value):
    wait(pip.set_step_data(key, "step_01", value, STEPS))
    assert pip.get_step_data(key, "step_01") == {"name": value}
    assert "Your age" in wait(pip.get_state_message(key, STEPS, {"new": "start"}))


def test_a_new_answer_clears_what_came_after_it_refilled_or_not(pip, key):
    for step, value in (("step_01", "a"), ("step_02", 1), ("step_03", True)):
        wait(pip.set_step_data(key, step, value, STEPS))
    wait(pip.set_step_data(key, "step_01", "b", STEPS))
    assert [name for name in pip.read_state(key) if name in {s.id for s in STEPS}] == ["step_01"]


def test_clear_previous_can_be_left_out(pip, key):
    wait(pip.set_step_data(key, "step_02", 1, STEPS))
    wait(pip.set_step_data(key, "step_01", "a", STEPS, clear_previous=False))
    assert pip.get_step_data(key, "step_02") == {"age": 1}


def test_submitting_ends_a_revert(pip, key):
    state = pip.read_state(key)
    pip.write_state(key, {**state, "_revert_target": "step_01"})
    wait(pip.set_step_data(key, "step_01", "a", STEPS))
    assert "_revert_target" not in pip.read_state(key)


def test_finalizing_and_unfinalizing(pip, key):
    assert wait(pip.finalize_workflow(key, {"extra": 1}))["finalize"] == {"finalized": True}
    assert pip.read_state(key)["extra"] == 1
    assert "finalize" not in wait(pip.unfinalize_workflow(key))
    assert "finalize" not in pip.read_state(key)


def test_a_locked_run_is_not_changed_by_whatever_member(pip, key):
    wait(pip.set_step_data(key, "step_01", "a", STEPS))
    wait(pip.finalize_workflow(key))
    before = pip.read_state(key)
    for change in (
        lambda: wait(pip.set_step_data(key, "step_01", "b", STEPS)),
        lambda: wait(pip.clear_steps_from(key, "step_01", STEPS)),
        lambda: pip.write_state(key, {**before, "step_01": {"name": "b"}}),
        lambda: pip.write_state(key, {n: v for n, v in before.items() if n != "step_01"}),
    ):
        with pytest.raises(HostError, match="PP545"):
            change()
    assert pip.read_state(key) == before
    pip.write_state(key, {**before, "_note": 1})  # a mark is no answer
    state = pip.read_state(key)
    del state["finalize"]  # unlocked by hand
    pip.write_state(key, {**state, "step_01": {"name": "b"}})
    assert pip.get_step_data(key, "step_01") == {"name": "b"}


def test_a_state_read_before_the_run_was_locked_does_not_unlock_it(pip, key):
    late = pip.read_state(key)
    wait(pip.finalize_workflow(key))
    with pytest.raises(HostError, match="PP545"):
        pip.write_state(key, {**late, "step_01": {"name": "late"}})
    assert pip.read_state(key)["finalize"] == {"finalized": True}
    assert pip.get_step_data(key, "step_01") == {}


def test_starting_twice_keeps_what_is_there(pip, key):
    wait(pip.set_step_data(key, "step_01", "a", STEPS))
    state, error = pip.initialize_if_missing(key, {"app_name": "my-app"})
    assert (state["step_01"], error) == ({"name": "a"}, None)


@pytest.mark.parametrize(
    ("name", "app", "says"),
    [
        ("x" * 500, "my-app", "too long"),
        ("a\x00b", "my-app", "cannot be shown"),
        ("", "my-app", "cannot be shown"),
        ("Default_Profile-my-app-01", "other", "belongs to"),
    ],
)
def test_a_run_that_cannot_be_started_says_why(pip, key, name, app, says):
    state, error = pip.initialize_if_missing(name, {"app_name": app})
    assert state is None
    assert says in to_xml(error)


def test_reading_a_run_that_is_not_there(pip):
    assert pip.read_state("nobody") == {}
    assert pip.get_step_data("nobody", "step_01") == {}
    assert pip.get_step_data("nobody", "step_01", {"a": 1}) == {"a": 1}


class TestKeys:
    def test_numbers_go_up_and_are_not_used_again_while_a_deletion_can_be_undone(self, pip, store):
        keys = []
        for _ in range(3):
            key, _, _ = pip.generate_pipeline_key(PLUGIN)
            pip.initialize_if_missing(key, {"app_name": "my-app"})
            keys.append(key)
        store.delete(keys[-1])
        assert [k[-2:] for k in keys] == ["01", "02", "03"]
        assert pip.generate_pipeline_key(PLUGIN)[2] == "04"

    @pytest.mark.parametrize(
        ("names", "next_one"),
        [
            (["Berlin", "7 up", "-9", "3.5", "x8"], "01"),
            (["9", "010", "Berlin"], "11"),
            (["99"], "100"),
            (["4", "9" * 30], "05"),  # a name; counted, it would be suggested again and again
            (["999_999"], "01"),
        ],
    )
    def test_only_numbers_are_counted(self, pip, store, names, next_one):
        for name in names:
            store.create(pip.generate_pipeline_key(PLUGIN, name)[0], "my-app", {})
        store.create("Default_Profile-my-app-b-77", "my-app-b", {})
        assert pip.generate_pipeline_key(PLUGIN)[2] == next_one

    @pytest.mark.parametrize(
        ("given", "name"),
        [
            ("My Trip", "My_Trip"),
            ("  tabs\tand\nlines ", "tabs_and_lines"),
            ("a-b-c", "a-b-c"),
            ("Default_Profile-my-app-x", "x"),
            ("Zoë 日本", "Zoë_日本"),
            ("<script>", "<script>"),
            ("../../etc", "../../etc"),
        ],
    )
    def test_a_name_becomes_a_key(self, pip, given, name):
        key, prefix, user = pip.generate_pipeline_key(PLUGIN, given)
        assert (key, prefix, user) == (
            f"Default_Profile-my-app-{name}",
            "Default_Profile-my-app-",
            name,
        )

    def test_a_profile_with_a_dash(self, pip, store):
        store.table("profile").insert(name="Acme-Co")
        store.set_setting("last_profile_id", "2")
        key, _, _ = pip.generate_pipeline_key(PLUGIN, "a-b")
        pip.initialize_if_missing(key, {"app_name": "my-app"})
        parts = {"profile_part": "Acme-Co", "plugin_part": "my-app", "user_part": "a-b"}
        assert pip.parse_pipeline_key(key) == parts

    def test_a_key_of_a_run_that_is_not_there_is_split_at_dashes(self, pip):
        parts = {"profile_part": "P", "plugin_part": "app", "user_part": "x-1"}
        assert pip.parse_pipeline_key("P-app-x-1") == parts


class TestMessages:
    def test_adding_never_waits_and_the_history_is_bounded(self, pip):
        async def talk():
            for number in range(HISTORY + 50):
                await pip.message_queue.add(pip, f"very very {number}")

        wait(talk())
        kept = [message.text for message in pip.get_message_queue().messages]
        assert len(kept) == HISTORY
        assert kept[-1] == f"very very {HISTORY + 49}"

    @pytest.mark.parametrize(
        "messages", [{}, {"new": "n"}, {"step_01": {}}, {"step_01": "text"}, {"finalize": {}}]
    )
    def test_a_state_message_is_found_whatever_the_plugin_left_out(self, pip, key, messages):
        assert wait(pip.get_state_message(key, STEPS, messages))
        for step in STEPS[:-1]:
            wait(pip.set_step_data(key, step.id, 0, STEPS))
            assert wait(pip.get_state_message(key, STEPS, messages))
        wait(pip.finalize_workflow(key))
        assert wait(pip.get_state_message(key, STEPS, messages))


class TestComponents:
    def test_the_container_carries_the_key_and_loads_one_card(self, pip, key):
        html = to_xml(pip.run_all_cells("my-app", STEPS))
        assert key in html
        assert html.count("hx-trigger") == html.count("hx-get") == 1

    def test_a_header_has_a_way_back_until_the_run_is_locked(self, pip, key):
        assert "/my-app/revert" in to_xml(
            pip.display_revert_header("step_01", "my-app", STEPS, "Name: a")
        )
        wait(pip.finalize_workflow(key))
        assert pip.display_revert_header("step_01", "my-app", STEPS, "Name: a") is None
        widget = to_xml(pip.display_revert_widget("step_01", "my-app", STEPS, "Name", P("kept")))
        assert "kept" in widget
        assert "revert" not in widget

    def test_text_of_users_is_escaped(self, pip, key):
        hostile = "<script>alert(1)</script>"
        made = [
            pip.display_revert_header("step_01", "my-app", STEPS, hostile),
            pip.display_revert_widget("step_01", "my-app", STEPS, hostile, hostile),
            pip.finalized_content(hostile, hostile),
            pip.update_datalist("ids", [hostile]),
            pip.validate_step_input("x", "x", lambda value: (False, hostile))[2],
        ]
        made.append(pip.chain_reverter("step_01", 0, STEPS, "my-app", hostile).body.decode())
        for part in made:
            assert "<script>" not in (part if isinstance(part, str) else to_xml(part))

    @pytest.mark.parametrize(
        ("value", "fine"), [("a", True), ("", False), ("  ", False), (None, False), (0, True)]
    )
    def test_checking_an_answer(self, pip, value, fine):
        ok, message, part = pip.validate_step_input(value, "Your name")
        assert (ok, bool(message), part is not None) == (fine, not fine, not fine)

    @pytest.mark.parametrize(("index", "needed"), [(0, False), (2, True), (3, False)])
    def test_whether_finalize_comes_next(self, pip, index, needed):
        assert pip.check_finalize_needed(index, STEPS) is needed

    @pytest.mark.parametrize(
        ("name", "words"), [("step_01", "Step 1"), ("step_12", "Step 12"), ("finalize", "Finalize")]
    )
    def test_names_are_made_readable(self, pip, name, words):
        assert pip.fmt(name) == words


class TestKeyValues:
    def test_a_mapping_of_texts(self, pip):
        pip.db["n"] = 5
        assert pip.db["n"] == pip.db.get("n") == "5"
        assert "n" in pip.db
        assert ("n", "5") in list(pip.db.items())
        del pip.db["n"]
        assert "n" not in pip.db
        assert pip.db.get("n", "none") == "none"
        with pytest.raises(KeyError):
            pip.db["n"]
        with pytest.raises(KeyError):
            del pip.db["n"]

    def test_the_key_is_that_of_the_request_else_the_stored_one(self, pip, store):
        store.set_setting("pipeline_id", "stored")

        async def request(key):
            request_run.bind(key)
            await asyncio.sleep(0)
            return pip.db["pipeline_id"]

        async def three():
            return await asyncio.gather(request("one"), request("two"), request(""))

        assert wait(three()) == ["one", "two", "stored"]


def test_each_reading_of_a_state_is_the_callers_own(pip, key):
    pip.write_state(key, {**pip.read_state(key), "step_01": {"name": "Ada", "more": [1, {"a": 1}]}})
    mine = pip.read_state(key)
    mine["step_01"]["more"][1]["a"] = 2
    mine["step_02"] = {}
    pip.get_step_data(key, "step_01")["name"] = "Bob"
    assert pip.read_state(key)["step_01"] == {"name": "Ada", "more": [1, {"a": 1}]}
    assert "step_02" not in pip.read_state(key)


def test_what_was_written_may_be_changed_afterwards_without_changing_the_run(pip, key):
    state = {**pip.read_state(key), "step_01": {"name": "Ada"}}
    pip.write_state(key, state)
    state["step_01"]["name"] = "Bob"
    assert pip.read_state(key)["step_01"] == {"name": "Ada"}
    state = wait(pip.clear_steps_from(key, "step_01", STEPS))
    state["step_01"]["name"] = "Bob"
    assert pip.read_state(key)["step_01"] == {"name": "Ada"}


def test_clearing_writes_only_where_there_is_something_to_clear(pip, key):
    wait(pip.set_step_data(key, "step_01", "Ada", STEPS))
    before = pip.read_state(key)
    assert wait(pip.clear_steps_from(key, "step_01", STEPS)) == before
    assert pip.read_state(key)["updated"] == before["updated"]
    wait(pip.set_step_data(key, "step_02", 3, STEPS))
    assert "step_02" not in wait(pip.clear_steps_from(key, "step_01", STEPS))
    assert "step_02" not in pip.read_state(key)


def test_a_task_that_outlives_its_request_reads_what_is_stored_then(pip, store):
    pip.initialize_if_missing("k", {"app_name": "my-app"})
    request_run.bind("k", store.run("k"))
    assert pip.read_state("k")
    request_run.release()
    with StateStore(store.path).changing("k") as state:
        state["x"] = 1
    assert pip.read_state("k")["x"] == 1
