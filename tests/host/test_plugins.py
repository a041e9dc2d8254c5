import textwrap

import pytest

from pipulate_runtime.host.plugins import model

GOOD = """
class Flow:
    APP_NAME = "{app}"
    {more}
    def __init__(self, app, pipulate, pipeline, db, config=None, app_name=APP_NAME):
        self.given = (app, pipulate, pipeline, db)
    async def landing(self, request):
        return "landed"
"""


def good(app="flow", more="DISPLAY_NAME = 'Flow'"):
    return GOOD.format(app=app, more=more)


@pytest.fixture
def load(tmp_path, make_client):
    """Writes files and gives the client of an app that has them."""

    def write(**files):
        folder = tmp_path / "plugins"
        folder.mkdir(exist_ok=True)
        for name, text in files.items():
            (folder / f"{name}.py").write_text(textwrap.dedent(text))
        return make_client(folder)

    return write


def loaded(client):
    return client.app.state.loaded


@pytest.mark.parametrize(
    ("stem", "number", "key"),
    [
        ("040_hello", 40, "hello"),
        ("hello", None, "hello"),
        ("7_a_b", 7, "a_b"),
        ("12", None, "12"),
        ("x1_y", None, "x1_y"),
    ],
)
def test_a_file_name_gives_number_and_key(stem, number, key):
    assert model.split_name(stem) == (number, key)


def test_files_are_found_in_menu_order_and_others_left_out(tmp_path):
    names = "zeta.py 100_b.py 020_c.py 9_d.py xx_off.py XX_off.py __init__.py a(1).py notes.txt .hidden.py alpha.py".split()
    for name in names:
        (tmp_path / name).write_text("")
    (tmp_path / "folder.py").mkdir()
    found = [path.name for path in model.find_files(tmp_path)]
    assert found == ["9_d.py", "020_c.py", "100_b.py", "alpha.py", "zeta.py"]


def test_a_plugin_gets_what_it_asks_for_by_name(load):
    client = load(flow=good())
    app, pip, table, db = loaded(client).by_key["flow"].instance.given
    assert app is client.app
    assert pip is client.app.state.pipulate
    assert db is pip.db
    assert table() == []


def test_name_and_display_name_are_set(load):
    client = load(**{"040_my_flow": good(more="x = 1")})
    instance = loaded(client).by_key["my_flow"].instance
    assert (instance.name, instance.DISPLAY_NAME) == ("my_flow", "My Flow")
    assert "landed" in client.get("/my_flow").text


def test_the_first_class_that_works_is_taken_and_imported_ones_count(load):
    client = load(
        flow=good("b").replace("class Flow", "class B")
        + good("a")
        .replace("class Flow", "class A")
        .replace("self.given", "raise ValueError('no'); self.given")
        + "class Helper: pass\n"
    )
    assert loaded(client).by_key["flow"].app_name == "b"


BROKEN = {
    "syntax": ("def f(:\n", "SyntaxError", 1),
    "name": ("x = 1\ny = undefined\n", "NameError: name 'undefined' is not defined", 2),
    "module": ("import nothing_of_that_name\n", "pip install nothing_of_that_name", 1),
    "exits": ("import sys\nsys.exit(3)\n", "SystemExit: 3", 2),
    "empty": ("", "No workflow class", None),
    "init": (good().replace("self.given", "1 / 0; self.given"), "ZeroDivisionError", 6),
    "argument": (good().replace("config=None", "weather"), "asks for 'weather'", None),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_is_a_page_that_says_what_is_wrong_and_the_others_work(load, kind):
    text, says, line = BROKEN[kind]
    client = load(**{"010_bad": text, "020_fine": good("fine")})
    assert "landed" in client.get("/fine").text
    home = client.get("/").text
    assert "010_bad.py" in home
    page = client.get("/bad")  # its own address leads to the page
    assert page.status_code == 200
    assert page.url.path == "/problems/010_bad"
    assert (
        says in page.text.replace("&#39;", "&#x27;").replace("'", "'")
        or says.replace("&#x27;", "'") in page.text
    )
    assert (f"line {line}" in page.text) == (line is not None)
    if line is not None:
        assert "<details>" in page.text
        assert "pipulate_runtime" not in page.text
        assert page.text.index("<details>") < page.text.index(
            "Traceback" if kind != "syntax" else "File"
        )


def test_routes_of_a_plugin_that_failed_are_taken_back(load):
    text = good().replace("self.given", "app.route('/flow/x')(self.landing); 1 / 0; self.given")
    assert load(bad=text).get("/flow/x").status_code == 404


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (
            {"010_flow": good("a"), "020_flow": good("b")},
            "010_flow.py has the address /flow already",
        ),
        (
            {"010_one": good("same"), "020_two": good("same")},
            "APP_NAME 'same' is that of 010_one.py",
        ),
        ({"a {b}": good("x")}, "characters that an address cannot have"),
        ({"010_static": good("x")}, "/static belongs to the server"),
        ({"010_flow": good("runs")}, "APP_NAME 'runs' is an address of the server"),
    ],
)
def test_a_clash_is_reported_and_the_first_stays(load, files, says):
    client = load(**files)
    (problem,) = loaded(client).problems
    assert says in problem.message
    assert len(loaded(client).plugins) == len(files) - 1
    assert client.get("/static/host.css").status_code == 200


def test_a_plugin_written_for_upstream_finds_its_modules(load):
    text = """
        from fasthtml.common import *
        from imports.crud import Step, VALID_ROLES
        ROLES = ["Tutorial"]

        class Old:
            APP_NAME = "old"
            DISPLAY_NAME = "Old"

            def __init__(self, app, pipulate, pipeline, db, app_name=APP_NAME):
                self.pip = pipulate
                self.steps = [
                    Step(id="step_01", done="name", show="Name", refill=True),
                    Step(id="finalize", done="finalized", show="Finalize", refill=False),
                ]
                for method, path, f in [("GET", "step_01", self.step_01), ("POST", "init", self.init)]:
                    app.route(f"/old/{path}", methods=[method])(f)

            async def landing(self, request):
                return Container(self.pip.create_standard_landing_page(self))

            async def init(self, request):
                key, _, _ = self.pip.generate_pipeline_key(self, (await request.form()).get("pipeline_id"))
                self.pip.db["pipeline_id"] = key
                self.pip.initialize_if_missing(key, {"app_name": "old"})
                return self.pip.run_all_cells("old", self.steps)

            async def step_01(self, request):
                return Div(Card(H3("key is " + self.pip.db["pipeline_id"])), id="step_01")
    """
    client = load(old=text)
    assert loaded(client).problems == ()
    assert "More workflows" in client.get("/").text  # its role is off
    headers = {"HX-Request": "true"}
    for name in ("one", "two"):
        assert (
            f"old-{name}"
            in client.post("/old/init", data={"pipeline_id": name}, headers=headers).text
        )
    answer = client.get(
        "/old/step_01", params={"pipeline_id": "Default_Profile-old-one"}, headers=headers
    )
    assert "key is Default_Profile-old-one" in answer.text
    assert 'data-state="input"' in answer.text


def test_plugins_need_no_roles_to_be_found(load):
    assert 'href="/flow"' in load(flow=good()).get("/").text
