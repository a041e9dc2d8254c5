"""What the first page says of runs: those of the profile in use, the one changed last first."""

from tests.host.helpers import Trip


def names(client):
    page = client.get("/").text
    _, found, rest = page.partition('aria-label="Recent runs"')
    part = rest.partition("</section>")[0] if found else page.partition("Continue")[2]
    part = part.partition('id="workflows"')[0]
    return [name for name in ("first", "second", "third", "fourth") if f">{name}<" in part], part


def test_without_runs_there_is_nothing_to_go_on_with(client):
    page = client.get("/").text
    assert "Continue" not in page
    assert "3 steps" in page
    assert "not started yet" in page


def test_the_last_three_runs_with_where_they_stand(client):
    for name in ("first", "second", "third", "fourth"):
        Trip(client, name).start()
    Trip(client, "second").answer("step_01")
    shown, part = names(client)
    assert shown == ["second", "third", "fourth"]
    order = sorted(shown, key=lambda name: part.index(f">{name}<"))
    assert order == ["second", "fourth", "third"]
    assert "Next:" in part
    assert "All 4 runs" in client.get("/").text
    assert f"/trip_planner?run={Trip(client, 'second').key}" in part


def test_runs_of_another_profile_are_not_offered(client):
    Trip(client, "first").start()
    store = client.app.state.store
    store.create("Somebody-trip-second", "trip", {})
    assert names(client)[0] == ["first"]
    store.create("Default_Profile-gone-third", "gone", {})  # its workflow is not here
    assert names(client)[0] == ["first"]
