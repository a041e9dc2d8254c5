import os
import threading
from datetime import timedelta

import pytest

from pipulate_runtime.host.base.errors import HostError
from pipulate_runtime.host.state import run as runs
from pipulate_runtime.host.state.store import StateStore


def test_a_run_is_kept_as_it_was_written(store):
    state = {
        "step_01": {"name": "Zoë <b>", "n": 0, "empty": "", "none": None, "list": [1, {"a": []}]}
    }
    assert store.create("k", "app", state)
    assert store.read("k").items() >= state.items()


def test_runs_are_counted_by_workflow_and_profile(store):
    keys = [
        "A_B-app-1",
        "A_B-app-2",
        "A_B-apple-1",
        "A_B-app_x-1",
        "A-app-1",
        "A_Bc-app-1",
        "typed",
    ]
    for key in keys:
        app_name = next((name for name in ("apple", "app_x") if f"-{name}-" in key), "app")
        store.create(key, app_name, {})
    assert store.count_runs() == {"app": 5, "apple": 1, "app_x": 1}
    assert store.count_runs("A_B") == {"app": 2, "apple": 1, "app_x": 1}
    assert store.count_runs("A") == {"app": 1}
    assert store.count_runs("nobody") == {}


def test_counting_reads_an_index_and_no_row(store):
    of_profile = "select count(*) from pipeline where app_name = ? and pkey >= ? and pkey < ?"
    for query, values in (
        ("select app_name, count(*) from pipeline group by app_name", ()),
        (of_profile, ("a", "b", "c")),
    ):
        plan = [row[3] for row in store._db.conn.execute(f"explain query plan {query}", values)]
        assert all("COVERING INDEX" in step for step in plan), plan


def test_a_key_is_taken_once(store):
    assert store.create("k", "app", {"x": 1})
    assert not store.create("k", "other", {"x": 2})
    assert store.read("k")["x"] == 1
    assert store.run("k").app_name == "app"


def test_writing_to_a_run_that_is_not_there_is_an_error(store):
    with pytest.raises(HostError) as caught:
        store.write("nobody", {})
    assert caught.value.code == "PP509"


def test_a_change_that_fails_leaves_the_state_as_it_was(store):
    store.create("k", "app", {"x": 1})
    with pytest.raises(ZeroDivisionError), store.changing("k") as state:
        state["x"] = 1 / 0
    with store.changing("k") as state:
        state["y"] = 2
    assert (store.read("k")["x"], store.read("k")["y"]) == (1, 2)


def test_what_cannot_be_stored_leaves_the_state_as_it_was(store):
    store.create("k", "app", {"x": 1})
    with pytest.raises(TypeError):
        store.write("k", {"x": object()})
    assert store.read("k")["x"] == 1


def test_changes_from_many_threads_are_all_kept(store):
    store.create("k", "app", {"count": 0})

    def count():
        for _ in range(25):
            with store.changing("k") as state:
                state["count"] += 1

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.read("k")["count"] == 100


def test_two_processes_may_hold_the_file(store):
    other = StateStore(store.path)
    store.create("k", "app", {"x": 1})
    with other.changing("k") as state:
        state["x"] = 2
    assert store.read("k")["x"] == 2
    other.close()


@pytest.mark.parametrize("data", ["not json", "[1]", ""])
def test_a_row_that_cannot_be_read_is_an_error_and_stays(store, data):
    store.create("k", "app", {})
    store.table("pipeline").update({"pkey": "k", "data": data})
    with pytest.raises(HostError) as caught:
        store.read("k")
    assert caught.value.code == "PP510"
    assert store.run("k").data == data


def test_runs_are_listed_by_workflow_the_last_changed_first(store):
    for key, app in (("a", "one"), ("b", "two"), ("c", "one")):
        store.create(key, app, {})
    store.write("a", store.read("a"))
    assert [run.key for run in store.runs("one")] == ["a", "c"]
    assert len(store.runs()) == 3
    assert store.count_runs() == {"one": 2, "two": 1}


def test_a_deleted_run_comes_back_as_it_was(store):
    store.create("k", "app", {"x": 1})
    before = store.run("k")
    assert store.delete("k")
    assert store.run("k") is None
    assert store.runs("app") == []
    assert store.restore("k")
    assert store.run("k") == before


def test_a_deleted_run_does_not_come_back_over_a_new_one(store):
    store.create("k", "app", {"x": 1})
    store.delete("k")
    store.create("k", "app", {"x": 2})
    assert not store.restore("k")
    assert store.read("k")["x"] == 2


def test_purging_takes_only_what_is_old_or_named(store):
    for key in "abc":
        store.create(key, "app", {})
        store.delete(key)
    assert store.purge() == []
    assert store.purge(["a"]) == [("app", "a")]
    assert sorted(store.purge(older_than=timedelta(0))) == [("app", "b"), ("app", "c")]
    assert not store.restore("b")


def test_what_another_program_purges_or_brings_back_meanwhile_is_left_to_it(store, monkeypatch):
    for key in "ab":
        store.create(key, "app", {})
        store.delete(key)
    other = StateStore(store.path)
    begin = store._writing

    def late():
        """The other program is quicker by a moment."""
        if other.restore("b"):
            other.purge(["a"])
        return begin()

    monkeypatch.setattr(store, "_writing", late)
    try:
        assert store.purge(older_than=timedelta(0)) == []
        assert store.run("b") is not None
    finally:
        other.close()


def test_purging_spares_the_files_of_a_new_run_of_the_same_name(store):
    store.create("k", "app", {})
    store.delete("k")
    store.create("k", "app", {"x": 2})
    assert store.purge(older_than=timedelta(0)) == []
    assert store.read("k")["x"] == 2
    store.delete("k")
    assert store.purge(older_than=timedelta(0)) == [("app", "k")]


@pytest.mark.skipif(os.name != "posix", reason="a mode is a thing of POSIX")
def test_what_is_kept_can_be_read_by_its_owner_only(store):
    assert store.path.parent.stat().st_mode & 0o077 == 0


def test_a_filter_set_on_one_table_object_reaches_nobody_else(store):
    store.create("k", "one", {})
    table = store.table("pipeline")
    table.xtra(app_name="two")
    assert table() == []
    assert [row.pkey for row in store.table("pipeline")()] == ["k"]
    assert store.run("k") is not None


def test_roles_that_are_on_stay_on_and_new_ones_are_off(store):
    store.ensure_roles(["Core", "Tutorial"], on=["Core"])
    store.ensure_roles(["Tutorial", "Mine"], on=["Core"])
    assert store.roles_on() == {"Core"}
    assert sorted(row.text for row in store.table("roles")()) == ["Core", "Mine", "Tutorial"]


@pytest.mark.parametrize(
    ("chosen", "name"), [("2", "Acme-Co"), ("9", "Default Profile"), ("x", "Default Profile")]
)
def test_the_profile_in_use(store, chosen, name):
    store.table("profile").insert(name="Acme-Co")
    store.set_setting("last_profile_id", chosen)
    assert store.profile()[1] == name


def test_a_file_that_is_no_database_is_left_alone(tmp_path):
    path = tmp_path / "pipulate.db"
    path.write_text(
        "a letter to my aunt, which is no database, and long enough to be looked at " * 20
    )
    with pytest.raises(HostError) as caught:
        StateStore(path)
    assert caught.value.code == "PP506"
    assert path.read_text().startswith("a letter")


def test_a_data_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(HostError) as caught:
        StateStore(tmp_path / "file" / "data" / "pipulate.db")
    assert caught.value.code == "PP505"


# --- a run is parsed once, and looked at again only when somebody wrote ---------------------------------------------------


@pytest.fixture
def parsed(monkeypatch):
    """The texts that were parsed as the state of a run."""
    texts = []
    real = runs.parse_state
    monkeypatch.setattr(
        runs, "parse_state", lambda key, data: texts.append(data) or real(key, data)
    )
    return texts


def by_another_program(store):
    with StateStore(store.path).changing("k") as state:
        state["x"] = 2


def by_a_table_of_a_plugin(store):
    store.table("pipeline").update(pkey="k", data='{"x": 2}')


def by_another_look_at_it(store):
    with store.changing("k") as state:
        state["x"] = 2


@pytest.mark.parametrize(
    "write", [by_another_program, by_a_table_of_a_plugin, by_another_look_at_it]
)
def test_a_look_sees_whatever_was_written(store, write):
    store.create("k", "app", {"x": 1})
    run = store.run("k")
    assert run.state["x"] == 1
    write(store)
    assert run.look() is run
    assert run.state["x"] == 2


def test_a_look_sees_that_a_write_was_taken_back(store):
    store.create("k", "app", {"x": 1})
    run = store.run("k")

    def taken_back():
        with store.transaction():
            store.table("pipeline").update(pkey="k", data='{"x": 2}')
            assert run.look().state["x"] == 2
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        taken_back()
    assert run.look().state["x"] == 1


def test_a_change_begins_with_what_is_stored(store):
    store.create("k", "app", {"x": 1})
    run = store.run("k")
    assert run.state["x"] == 1
    by_another_program(store)
    with run.changing() as state:
        assert state["x"] == 2
        state["y"] = 3
    assert (run.state["x"], run.state["y"]) == (2, 3)
    assert store.read("k") == run.state


def test_a_change_that_cannot_be_stored_is_not_seen(store):
    store.create("k", "app", {"x": 1})
    run = store.run("k")
    with pytest.raises(TypeError), run.changing() as state:
        state["x"] = object()
    assert run.look().state["x"] == 1


def test_a_run_that_is_deleted_is_gone_until_it_is_brought_back(store):
    store.create("k", "app", {"x": 1})
    run = store.run("k")
    store.delete("k")
    assert run.look() is None
    with pytest.raises(HostError) as caught, run.changing():
        pass
    assert caught.value.code == "PP509"
    store.restore("k")
    assert run.look().state["x"] == 1


def test_a_run_is_parsed_again_only_when_its_own_text_was_changed(store, parsed):
    store.create("k", "app", {"x": 1})
    store.create("other", "app", {})
    run = store.run("k")
    assert run.state is run.look().state
    store.set_setting("theme", "dark")
    with StateStore(store.path).changing("other") as state:
        state["y"] = 1
    assert run.look().state["x"] == 1
    assert len([text for text in parsed if '"x"' in text]) == 1


def test_a_state_of_ones_own_may_be_changed_to_its_depth(store):
    store.create("k", "app", {"a": {"b": [{"c": [1, [2]]}]}})
    run = store.run("k")
    mine = run.own_state()
    mine["a"]["b"][0]["c"][1].append(3)
    mine["a"]["b"][0]["new"] = 1
    assert run.state["a"] == {"b": [{"c": [1, [2]]}]}


def test_the_few_runs_of_a_profile_are_found_among_many(store):
    """By their names, in the order of their changes; many are found in that order."""
    for number in range(230):
        store.create(f"Big-trip-{number:03}", "trip", {})
    for number in range(3):
        store.create(f"Small-trip-{number}", "trip", {})
    asked = []
    store._db.conn.exec_trace = lambda _, sql, __: asked.append(sql) or True
    assert [r.key for r in store.runs("trip", 2, prefix="Small-trip-")] == [
        "Small-trip-2",
        "Small-trip-1",
    ]
    assert [r.key for r in store.runs("trip", 2, 1, prefix="Big-trip-")] == [
        "Big-trip-228",
        "Big-trip-227",
    ]
    store._db.conn.exec_trace = None
    assert ["pipeline_names" in sql for sql in asked if "indexed by" in sql] == [True, False]
