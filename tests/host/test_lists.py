"""Tasks, profiles and roles: what their addresses do, what is kept, and how they meet the runs."""

import threading

import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from pipulate_runtime.host.lists.rows import Rows, move_id, sort_ids
from pipulate_runtime.host.state.store import StateStore
from tests.host.helpers import HTMX, LOCAL, Trip

IDS = st.lists(st.integers(1, 9), unique=True)


@given(ids=IDS, row_id=st.integers(1, 9), by=st.integers(-9, 9))
def test_moving_keeps_all_rows_and_the_order_of_the_others(ids, row_id, by):
    after = move_id(ids, row_id, by)
    assert sorted(after) == sorted(ids)
    assert [i for i in after if i != row_id] == [i for i in ids if i != row_id]
    if row_id in ids:
        wanted = ids.index(row_id) + by
        assert after.index(row_id) == min(max(wanted, 0), len(ids) - 1)


@given(ids=IDS, wanted=st.lists(st.integers(1, 12)))
def test_sorting_keeps_all_rows_and_the_places_of_those_not_named(ids, wanted):
    after = sort_ids(ids, wanted)
    assert sorted(after) == sorted(ids)
    named = [i for i in dict.fromkeys(wanted) if i in ids]
    assert [i for i in after if i in named] == named
    assert all(a == b for a, b in zip(ids, after, strict=True) if b not in named)


class TestRows:
    @pytest.fixture
    def rows(self, store):
        return Rows(store, "tasks", only=lambda: {"profile_id": 1})

    def test_a_removed_row_comes_back_where_it_was_with_its_id(self, rows):
        for text in "abc":
            rows.add({"text": text, "done": False})
        rows.remove(2)
        assert rows.add({"text": "d", "done": False})["id"] == 4
        assert rows.last_removed()["text"] == "b"
        assert rows.bring_back(2)["text"] == "b"
        assert [row["text"] for row in rows.all()] == list("abcd")
        assert rows.last_removed() is None
        assert rows.bring_back(2) is None

    def test_an_id_is_not_given_again_while_its_row_may_come_back(self, rows):
        rows.add({"text": "a", "done": False})
        rows.remove(1)
        assert rows.add({"text": "b", "done": False})["id"] == 2

    def test_what_was_removed_long_ago_does_not_come_back(self, rows, store):
        rows.add({"text": "a", "done": False})
        rows.remove(1)
        store.table("removed").update({"id": 1, "at": "2020-01-01T00:00:00+00:00"})
        assert rows.last_removed() is None
        rows.add({"text": "b", "done": False})
        rows.remove(2)  # forgets it
        assert rows.bring_back(1) is None

    def test_rows_of_others_are_out_of_reach(self, rows, store):
        other = Rows(store, "tasks", only=lambda: {"profile_id": 2})
        rows.add({"text": "mine", "done": False})
        assert other.all() == []
        assert other.change(1, {"text": "theirs"}) is None
        assert other.toggle(1, "done") is None
        assert other.remove(1) is None
        rows.remove(1)
        assert other.last_removed() is None
        assert other.bring_back(1) is None
        assert rows.bring_back(1)["text"] == "mine"

    def test_changes_from_many_threads_are_all_kept(self, rows):
        def add():
            for _ in range(10):
                rows.move(rows.add({"text": "x", "done": False})["id"], -3)

        threads = [threading.Thread(target=add) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({row["id"] for row in rows.all()}) == 40
        assert len({row["priority"] for row in rows.all()}) == 40

    def test_tasks_go_with_their_profile_when_it_is_gone_for_good(self, store):
        profiles = Rows(store, "profile", owned=("tasks", "profile_id"))
        profiles.add({"name": "Two"})
        Rows(store, "tasks", only=lambda: {"profile_id": 2}).add({"text": "x", "done": False})
        profiles.remove(2)
        store.table("removed").update({"id": 1, "at": "2020-01-01T00:00:00+00:00"})
        profiles.add({"name": "Three"})
        profiles.remove(3)
        assert store.rows("tasks") == []


def post(client, path, **data):
    answer = client.post(path, data=data, headers=HTMX)
    assert answer.status_code == 200, answer.text
    return BeautifulSoup(answer.text, "html.parser")


def texts(soup):
    return [span.get_text() for span in soup.select(".row-text")]


class TestTasks:
    def test_from_the_first_to_the_last_button(self, client):
        for text in ("one", "two", "three"):
            soup = post(client, "/tasks", text=text)
        assert texts(soup) == ["one", "two", "three"]
        assert texts(post(client, "/tasks/3", do="up")) == ["one", "three", "two"]
        assert texts(post(client, "/tasks/sort", order="2,3,1")) == ["two", "three", "one"]
        assert texts(post(client, "/tasks/sort", order="x,,99,-1,1,1")) == ["two", "three", "one"]
        soup = post(client, "/tasks/2", do="toggle")
        assert soup.select_one("#tasks-2-toggle")["aria-checked"] == "true"
        soup = post(client, "/tasks/2", do="edit")
        assert soup.select_one("#tasks-2-text")["value"] == "two"
        assert texts(post(client, "/tasks/2", do="save", text="zwei")) == ["zwei", "three", "one"]
        soup = post(client, "/tasks/2", do="delete")
        assert texts(soup) == ["three", "one"]
        assert "“zwei” was deleted." in soup.select_one(".notice").get_text()
        assert texts(post(client, "/tasks/2", do="undo")) == ["zwei", "three", "one"]

    @pytest.mark.parametrize(("text", "says"), [(" \x00\n ", "Please enter"), ("x" * 501, "501")])
    def test_what_is_wrong_is_said_and_what_was_typed_stays(self, client, text, says):
        soup = post(client, "/tasks", text=text)
        assert says in soup.select_one("#tasks-new-error").get_text()
        assert len(soup.select_one("#tasks-new")["value"]) == len(text.strip(" \x00\n"))
        post(client, "/tasks", text="right")
        soup = post(client, "/tasks/1", do="save", text=text)
        assert says in soup.select_one("#tasks-1-text-error").get_text()
        assert client.app.state.store.rows("tasks")[0]["text"] == "right"

    def test_what_people_write_is_text(self, client):
        hostile = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'
        for soup in (post(client, "/tasks", text=hostile), post(client, "/tasks/1", do="edit")):
            assert soup.find(["script", "img"]) is None
        post(client, "/tasks/1", do="delete")
        soup = BeautifulSoup(client.get("/tasks").text, "html.parser")
        assert hostile in soup.select_one(".notice").get_text()

    @pytest.mark.parametrize("do", ["up", "toggle", "edit", "save", "delete", "undo", "", "drop"])
    def test_a_row_that_is_gone_is_no_error(self, client, do):
        assert texts(post(client, "/tasks/99", do=do, text="x")) == []

    @pytest.mark.parametrize("number", ["abc", "-1", "1" * 40, "1.5"])
    def test_numbers_that_are_none(self, client, number):
        answer = client.post(f"/tasks/{number}", data={"do": "delete"}, headers=HTMX)
        assert answer.status_code < 500
        assert client.get("/tasks", params={"edit": number}).status_code == 200

    def test_without_a_script_the_forms_lead_back_to_the_page(self, client):
        answer = client.post("/tasks", data={"text": "one"})
        assert texts(BeautifulSoup(answer.text, "html.parser")) == ["one"]
        assert answer.url.path == "/tasks"
        answer = client.post("/tasks/1", data={"do": "edit"})
        assert 'id="tasks-1-text"' in answer.text
        answer = client.post("/tasks", data={"text": ""})
        assert "Please enter" in answer.text

    def test_a_page_of_another_site_changes_nothing(self, client):
        headers = {"Origin": "https://evil.example"}
        assert client.post("/tasks", data={"text": "x"}, headers=headers).status_code == 403
        assert client.app.state.store.rows("tasks") == []


class TestProfiles:
    def choose(self, client, number):
        answer = client.post("/select_profile", data={"profile_id": str(number)}, headers=HTMX)
        assert answer.headers["HX-Refresh"] == "true"

    def test_the_landing_page_offers_the_runs_of_the_profile_in_use(self, client, trip):
        post(client, "/profiles", name="Acme-Co")
        self.choose(client, 2)
        assert trip.key not in client.get("/trip_planner").text
        assert "not started yet" in client.get("/").text
        started = client.post("/trip/init", data={"pipeline_id": "x-1"}, headers=HTMX)
        assert "Acme-Co-trip-x-1" in started.text
        page = client.get("/trip_planner").text
        assert "Acme-Co-trip-x-1" in page
        assert "1 run" in client.get("/").text
        self.choose(client, 1)
        page = client.get("/trip_planner").text
        assert trip.key in page
        assert "Acme-Co" not in BeautifulSoup(page, "html.parser").select_one("main").get_text()
        # a run's own page is the run's, whatever profile is in use
        assert client.get("/trip_planner", params={"run": "Acme-Co-trip-x-1"}).status_code == 200

    def test_a_renamed_profile_keeps_its_runs_and_their_names(self, client, trip):
        post(client, "/profiles/1", do="save", name="Somebody - else")
        assert trip.key in client.get("/trip_planner").text
        again = Trip(client, "a trip").start()  # the same run, not a new one
        assert again.key == trip.key
        assert len(client.app.state.store.runs()) == 1
        pip = client.app.state.pipulate
        assert pip.get_plugin_context()["profile_name"] == "Somebody - else"
        # and the old name is not given to another one's runs
        post(client, "/profiles", name="Default Profile")
        self.choose(client, 2)
        assert trip.key not in client.get("/trip_planner").text

    @pytest.mark.parametrize(
        ("first", "second"), [("Acme", "Acme-trip"), ("A-trip-b", "A"), ("a b", "a_b"), ("a-", "a")]
    )
    def test_runs_of_two_profiles_are_never_mixed_up(self, client, first, second):
        post(client, "/profiles", name=first)
        post(client, "/profiles", name=second)
        for number in (2, 3):
            self.choose(client, number)
            for name in ("trip-x", "x", "b-trip-x"):
                client.post("/trip/init", data={"pipeline_id": name}, headers=HTMX)
            page = BeautifulSoup(client.get("/trip_planner").text, "html.parser")
            assert len(page.select(".run-item")) == 3
        assert len(client.app.state.store.runs()) == 6

    def test_a_name_is_there_once(self, client):
        soup = post(client, "/profiles", name="default profile")
        assert "already" in soup.select_one("#profiles-new-error").get_text()
        post(client, "/profiles", name="Two")
        post(client, "/profiles/2", do="delete")
        post(client, "/profiles", name="two")
        soup = post(client, "/profiles/2", do="undo")
        assert texts(soup) == ["Default Profile", "two"]

    def test_the_profile_in_use_stays(self, client):
        for do in ("delete", "toggle"):
            assert "in use" in post(client, "/profiles/1", do=do).get_text()
        assert client.app.state.store.profile() == (1, "Default Profile")
        assert client.app.state.store.rows("profile")[0]["active"]

    def test_one_that_is_not_active_is_not_in_the_menu(self, client):
        post(client, "/profiles", name="Two")
        menu = client.get("/refresh-profile-menu").text
        assert "Two" in menu
        answer = client.post("/profiles/2", data={"do": "toggle"}, headers=HTMX)
        assert "refreshProfileMenu" in answer.headers["HX-Trigger"]
        assert "Two" not in client.get("/refresh-profile-menu").text

    def test_choosing_without_a_script_leads_back(self, client):
        answer = client.post(
            "/select_profile",
            data={"profile_id": "9"},
            headers={"referer": f"{LOCAL}/tasks"},
            follow_redirects=False,
        )
        assert answer.headers["location"] == "/tasks"
        assert client.app.state.store.setting("last_profile_id") is None

    def test_a_database_of_an_older_version(self, tmp_path):
        path = tmp_path / "pipulate.db"
        old = StateStore(path)
        old._db.conn.execute("alter table profile drop column key_name")
        old.close()
        new = StateStore(path)
        assert new.profile_key() == "Default_Profile"
        new.close()


class TestRoles:
    PLUGIN = "ROLES = ['Workshop', 'Mine']\nclass W:\n    APP_NAME = 'w{n}'\n    DISPLAY_NAME = 'Quiet {n}'\n    async def landing(self, request):\n        return 'here'\n"

    @pytest.fixture
    def client(self, make_client, tmp_path):
        folder = tmp_path / "plugins"
        folder.mkdir()
        for n in (1, 2):
            (folder / f"quiet{n}.py").write_text(self.PLUGIN.format(n=n))
        return make_client(folder)

    def test_roles_filter_the_menu_and_the_search_does_not(self, client):
        assert "Quiet" not in client.get("/refresh-app-menu").text
        folded = BeautifulSoup(client.get("/").text, "html.parser").select_one("details.more")
        assert "Quiet 1" in folded.get_text()
        found = client.post("/search-apps", data={"search": "quiet 2"}, headers=HTMX).text
        assert "Quiet 2" in found
        assert "Quiet 1" not in found
        role = next(r for r in client.app.state.store.rows("roles") if r["text"] == "Mine")
        answer = client.post(f"/roles/{role['id']}", data={"do": "toggle"}, headers=HTMX)
        assert "refreshAppMenu" in answer.headers["HX-Trigger"]
        assert "Quiet 1" in client.get("/refresh-app-menu").text
        page = BeautifulSoup(client.get("/").text, "html.parser")
        assert page.select_one("details.more") is None
        assert "Quiet 1" in page.select_one("main").get_text()
        assert client.get("/quiet1").text.count("here") == 1

    def test_core_is_always_on_and_roles_of_workflows_keep_their_names(self, client):
        rows = {row["text"]: row["id"] for row in client.app.state.store.rows("roles")}
        assert "always on" in post(client, f"/roles/{rows['Core']}", do="toggle").get_text()
        for name in ("Core", "Mine"):
            for do in ("delete", "save"):
                soup = post(client, f"/roles/{rows[name]}", do=do, text="Other")
                assert "belongs to the workflows" in soup.get_text()
        assert "Core" in client.app.state.store.roles_on()

    def test_own_ones_can_be_added_and_deleted(self, client):
        post(client, "/roles", text="Customers")
        assert "Customers" not in client.app.state.store.roles_on()
        number = len(client.app.state.store.rows("roles"))
        soup = post(client, f"/roles/{number}", do="delete")
        assert "Customers" not in texts(soup)
