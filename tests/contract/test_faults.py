"""What upstream gets wrong (CONTRACT 2) and the tests that keep it out of the host: one row a fault."""

import ast
import itertools
import re

import pytest

from tests.conftest import ROOT
from tests.contract.test_protocol import PAGE
from tests.contract.visitor import HTMX, Visitor

HOST, CELLS, HERE = "tests/host/", "tests/cells/", "tests/contract/"

FAULTS = {
    1: [
        HERE + "test_faults.py::test_two_tabs_of_a_plugin_that_knows_one_run_only",
        HERE + "test_faults.py::test_a_request_of_a_script_is_for_the_run_whose_page_it_comes_from",
        HOST + "test_app.py::test_two_tabs_hold_two_runs",
        "tests/test_generated_apps.py::test_two_tabs_hold_two_runs",
    ],
    2: [
        HERE + "test_faults.py::test_a_filter_on_the_table_reaches_nobody_else",
        HOST + "test_app.py::test_opening_another_workflow_leaves_a_run_alone",
    ],
    3: [
        HOST + "test_api.py::test_an_answer_that_is_nothing_is_an_answer",
        HOST + "test_app.py::test_falsy_answers_are_answers",
    ],
    4: [HOST + "test_api.py::test_a_new_answer_clears_what_came_after_it_refilled_or_not"],
    5: [
        HOST + "test_api.py::test_a_locked_run_is_not_changed_by_whatever_member",
        HOST + "test_app.py::test_a_finished_run_is_not_changed",
        HOST + "test_app.py::test_a_step_is_not_answered_before_those_above_it",
        HOST + "test_app.py::test_a_run_is_not_finished_before_its_steps_are_done",
        HERE + "test_faults.py::test_a_route_of_a_plugins_own_does_not_change_a_locked_run",
        "tests/test_two_tabs.py::test_what_a_tab_left_open_computes_does_not_open_a_locked_run",
    ],
    6: [
        HOST + "test_api.py::test_a_run_that_cannot_be_started_says_why",
        HOST + "test_app.py::test_a_row_that_cannot_be_read_says_what_to_do",
    ],
    7: [
        HOST + "test_api.py::test_a_profile_with_a_dash",
        HERE + "test_plugins.py::test_routes_by_hand_and_arguments_under_their_other_names",
    ],
    8: [CELLS + "test_render.py::test_many_payloads_leave_the_row_and_the_page_small"],
    9: [
        HOST + "test_api.py::test_a_state_message_is_found_whatever_the_plugin_left_out",
        HERE + "test_plugins.py::test_three_phases_the_chain_and_a_suggestion",
    ],
    10: [HERE + "test_faults.py::test_a_view_of_a_step_reads_the_row_a_few_times"],
    11: [
        CELLS + "test_failures.py::test_outputs_come_in_while_the_step_runs_and_it_is_started_once",
        HERE + "test_plugins.py::test_a_long_step_that_is_followed_by_a_route_of_its_own",
    ],
    12: [HOST + "test_api.py::test_adding_never_waits_and_the_history_is_bounded"],
    13: [HOST + "test_api.py::test_adding_never_waits_and_the_history_is_bounded"],
    14: [HERE + "test_faults.py::test_messages_are_text_and_stay_as_they_are"],
    15: [HERE + "test_plugins.py::test_a_refused_answer_comes_back_with_what_was_typed"],
    16: [
        HOST + "test_api.py::test_text_of_users_is_escaped",
        HOST + "test_app.py::test_a_step_that_fails_is_a_card_and_the_run_goes_on",
        CELLS + "test_render.py::test_nothing_active_gets_into_the_page",
        HERE + "test_browser.py::test_a_script_in_an_answer_does_not_run",
        HERE + "test_browser.py::test_the_events_of_plugins",
    ],
    17: [
        HERE + "test_plugins.py::test_a_name_cannot_lead_out_of_the_folder",
        HERE + "test_plugins.py::test_only_what_is_in_the_folder_can_be_fetched",
        HERE + "test_faults.py::test_no_other_site_is_let_in",
        HOST + "test_assets.py::test_only_listed_files_are_served",
        HOST + "test_security.py::test_only_its_own_pages_change_something",
    ],
    18: [
        HERE + "test_plugins.py::test_ids_stand_once_although_forms_name_no_way_to_swap",
        HOST + "test_api.py::test_the_container_carries_the_key_and_loads_one_card",
        HOST + "test_app.py::test_each_page_can_be_used_without_seeing_it",
        HERE + "test_faults.py::test_headings_leave_no_level_out",
    ],
    19: [HERE + "test_faults.py::test_what_destroys_is_not_there"],
    20: [HERE + "test_protocol.py::test_the_markers_of_upstreams_tools_are_where_they_look"],
    21: [
        "tests/merge/test_port_again.py::test_a_new_cell_gets_the_next_id_and_the_others_keep_theirs"
    ],
}


@pytest.mark.parametrize("number", FAULTS)
def test_each_fault_has_a_row_and_tests_that_are_there(number):
    assert re.search(rf"^\| {number} \| .+ \| .+ \|$", PAGE, re.MULTILINE)
    for place in FAULTS[number]:
        path, _, name = place.partition("::")
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        names = [n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
        assert name in names, place


def test_no_fault_is_left_out():
    assert list(FAULTS) == list(range(1, 22))
    assert re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE) == [str(n) for n in FAULTS]


def state(client, key):
    return client.app.state.store.read(f"Default_Profile-{key}")


def test_two_tabs_of_a_plugin_that_knows_one_run_only(client):
    one = Visitor(client, "greeting", "greeting").start("one")
    two = Visitor(client, "greeting", "greeting").start("two")
    one.submit("step_01_submit", name="Ada")
    two.submit("step_01_submit", name="Bob")
    one.submit("step_02_submit")
    assert state(client, "greeting-one")["step_02"] == {"greeting": "Hello Ada"}
    assert "step_02" not in state(client, "greeting-two")
    two.submit("step_02_submit")
    one.back("step_01")
    two.submit("finalize")
    assert "step_02" not in state(client, "greeting-one")
    assert state(client, "greeting-two")["finalize"] == {"finalized": True}


def test_a_filter_on_the_table_reaches_nobody_else(client):
    greeting = Visitor(client, "greeting", "greeting").start("x")
    client.get("/by_hand")  # its landing page calls pipeline.xtra(app_name="hand-made")
    greeting.submit("step_01_submit", name="Ada")
    client.get("/by_hand")
    greeting.submit("step_02_submit")
    assert state(client, "greeting-x")["step_02"] == {"greeting": "Hello Ada"}
    instances = client.app.state.loaded.by_app
    assert [r.pkey for r in instances["greeting"].instance.pipeline()] == [
        "Default_Profile-greeting-x"
    ]
    assert list(instances["hand-made"].instance.table()) == []


def test_a_route_of_a_plugins_own_does_not_change_a_locked_run(client):
    visitor = Visitor(client, "long_job", "long_job").start("x")
    visitor.submit("step_01_submit")
    key = {"pipeline_id": "Default_Profile-long_job-x"}
    assert "to 5" in client.post("/long_job/step_02_process", data={**key, "to": "5"}).text
    assert "At 3" in client.get("/long_job/step_03_events", params=key).text
    client.post("/long_job/finalize", data=key, headers=HTMX)
    before = state(client, "long_job-x")
    assert before["finalize"] == {"finalized": True}
    answer = client.post("/long_job/step_02_process", data={**key, "to": "9"}, headers=HTMX)
    assert "is locked" in answer.text
    assert "Traceback" not in answer.text
    assert state(client, "long_job-x") == before


def test_a_request_of_a_script_is_for_the_run_whose_page_it_comes_from(client):
    one = Visitor(client, "long_job", "long_job").start("one")
    one.submit("step_01_submit")
    Visitor(client, "long_job", "long_job").start("two")
    page = "http://127.0.0.1/long_job?run=Default_Profile-long_job-"
    for name, referer in (("one", page + "one"), ("two", ""), ("two", "https://evil.example/x")):
        seen = client.get("/long_job/step_01", headers={**HTMX, "Referer": referer}).text
        assert ("to 3" in seen) is (name == "one"), referer
    gone = client.get("/long_job/step_01", headers={**HTMX, "Referer": page + "nobody"})
    assert "no longer exists" in gone.text


def test_a_view_of_a_step_reads_the_row_a_few_times(client, monkeypatch):
    store = client.app.state.store
    visitor = Visitor(client, "greeting", "greeting").start("x")
    visitor.submit("step_01_submit", name="Ada")
    reads, changes = [], []
    run, writing = store.run, store._writing
    monkeypatch.setattr(store, "run", lambda key: reads.append(key) or run(key))
    monkeypatch.setattr(store, "_writing", lambda: changes.append(1) or writing())
    answer = client.get(
        "/greeting/step_01", params={"pipeline_id": "Default_Profile-greeting-x"}, headers=HTMX
    )
    assert "Your name: Ada" in answer.text
    assert len(reads) <= 6
    assert changes == []


@pytest.mark.parametrize(
    "text", ["very very good", "a | b", "[ls]", "<script>x</script>", "%%STOP%%"]
)
def test_messages_are_text_and_stay_as_they_are(client, text):
    pip = client.app.state.pipulate
    pip.append_to_history(text)
    assert [message.text for message in pip.message_queue.messages][-1] == text


def test_no_other_site_is_let_in(client):
    answer = client.get("/", headers={"Origin": "https://evil.example"})
    assert not [name for name in answer.headers if name.lower().startswith("access-control-")]
    for path in ("/requirements.txt", "/data/pipulate.db", "/downloads/x.csv", "/assets/x"):
        assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    "path", ["/clear-pipeline", "/clear-db", "/poke", "/mcp-tool-executor", "/switch_environment"]
)
def test_what_destroys_is_not_there(client, path):
    Visitor(client, "greeting", "greeting").start("x")
    for answer in (client.get(path), client.post(path, data={})):
        assert answer.status_code in (404, 405)
    assert state(client, "greeting-x")


def test_headings_leave_no_level_out(client, monkeypatch):
    """From one heading to the next, a page goes down one level at most (WCAG 1.3.1)."""
    visitor = Visitor(client, "greeting", "greeting")
    start = visitor.page.soup
    visitor.start("x")
    visitor.submit("step_01_submit", name="Ada")
    run = client.get("/greeting", params={"run": "Default_Profile-greeting-x"})
    monkeypatch.setattr(client.app.state.store, "roles_on", lambda: 1 / 0)
    broken = client.get("/")
    assert broken.status_code == 500
    assert broken.text.count("<!doctype html>") == 1
    parser = type(start)
    pages = [start, visitor.page.soup, parser(run.text, "html.parser")]
    for page in [*pages, parser(broken.text, "html.parser")]:
        levels = [int(h.name[1]) for h in page.find_all(re.compile(r"h[1-6]"))]
        assert levels[0] == 1
        steps = [after - before for before, after in itertools.pairwise(levels)]
        assert max(steps, default=0) <= 1, levels
