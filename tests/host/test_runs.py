from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from pipulate_runtime.host.pages import parts, workflow_runs

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
STEPS = [
    SimpleNamespace(id="step_01", done="a", show="First"),
    SimpleNamespace(id="step_02", done="b", show="Second"),
    SimpleNamespace(id="finalize", done="finalized", show="Finalize"),
]


@pytest.mark.parametrize(
    ("past", "words"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=60), "1 minute ago"),
        (timedelta(minutes=59, seconds=59), "59 minutes ago"),
        (timedelta(hours=1), "1 hour ago"),
        (timedelta(hours=23), "23 hours ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=13), "13 days ago"),
    ],
)
def test_times_in_words(past, words):
    assert parts.ago((NOW - past).isoformat(), NOW) == words


def test_long_ago_is_a_date_and_nonsense_is_nothing():
    assert parts.ago("2025-01-15T12:00:00+00:00", NOW) == "on 15 January 2025"
    assert parts.ago("yesterday", NOW) == ""


@pytest.mark.parametrize(
    ("state", "standing", "done"),
    [
        ({}, ("open", "Next: First"), 0),
        ({"step_01": {"a": 0}}, ("open", "Next: Second"), 1),
        ({"step_01": {"a": None}, "step_02": {"b": ""}}, ("ready", "Ready to finish"), 2),
        ({"step_01": {"a": 1}, "_revert_target": "step_01"}, ("open", "Next: First"), 0),
        ({"step_01": {"other": 1}}, ("open", "Next: First"), 0),
        (
            {"step_01": {"a": 1}, "step_02": {"b": 1}, "finalize": {"finalized": True}},
            ("finished", "Finished"),
            2,
        ),
    ],
)
def test_where_a_run_stands(state, standing, done):
    assert workflow_runs.standing(STEPS, state) == standing
    assert workflow_runs.steps_done(STEPS, state) == (done, 2)


@pytest.mark.parametrize(
    ("key", "app", "name"),
    [
        ("Default_Profile-trip-01", "trip", "01"),
        ("Acme-Co-my-app-a-b_c", "my-app", "a-b c"),
        ("no key of ours", "trip", "no key of ours"),
    ],
)
def test_the_name_of_a_run(key, app, name):
    assert workflow_runs.run_name(key, app) == name
