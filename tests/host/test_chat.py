"""The chat: what goes to the model, what comes back, what the panel shows, and what happens when something fails."""

import json

import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.websockets import WebSocketDisconnect

from pipulate_runtime.host.base.errors import HostError
from pipulate_runtime.host.chat import client as ollama
from pipulate_runtime.host.chat import context, panel
from pipulate_runtime.host.chat.client import Call, Ollama, address_of
from pipulate_runtime.host.chat.context import shortened
from pipulate_runtime.host.chat.conversation import MEMORY, RECENT, recent
from pipulate_runtime.host.chat.tools import Tools
from pipulate_runtime.host.commands import serve
from pipulate_runtime.host.lists.lists import Tasks
from pipulate_runtime.host.state.history import HISTORY, History, Message
from pipulate_runtime.host.state.store import StateStore
from tests.host.helpers import HTMX, LOCAL, Trip
from tests.host.ollama import END, MODEL, Gone, StandIn, Status, Wait, call, error, text


@pytest.fixture
def stand_in():
    with StandIn() as served:
        yield served


@pytest.fixture
def client(make_client, stand_in):
    return make_client(ollama=Ollama(stand_in.address))


class Panel:
    """A panel as its page sees it: what was swapped in, by id."""

    def __init__(self, socket, address="/"):
        self.socket = socket
        self.address = address
        self.soup = BeautifulSoup('<div id="chat-log"></div>', "html.parser")
        self.busy = None
        self.raw = []
        self.hear()  # the whole conversation
        self.hear()  # the buttons

    def send(self, **fields):
        headers = {"HX-Current-URL": f"{LOCAL}{self.address}"}
        self.socket.send_text(json.dumps({**fields, "HEADERS": headers}))

    def ask(self, question, **typed):
        self.send(do="ask", chat_text=question, **typed)

    def hear(self):
        piece = self.socket.receive_text()
        self.raw.append(piece)
        for part in BeautifulSoup(piece, "html.parser").find_all(recursive=False):
            style, _, selector = part["hx-swap-oob"].partition(":")
            target = self.soup.select_one(selector or f"#{part['id']}")
            if part.get("id") == "chat-buttons":
                self.busy = "Stop" in part.get_text()
            elif style == "beforeend":
                target.extend(list(part.children))
            elif style == "innerHTML":
                target.clear()
                target.extend(list(part.children))
            elif style == "delete":
                target.decompose()
            elif target is not None:
                target.replace_with(part)

    def until_idle(self):
        """Hears until the answer is there."""
        self.busy = True
        while self.busy:
            self.hear()
        return self

    def until(self, words):
        while words not in self.soup.get_text():
            self.hear()
        return self

    @property
    def said(self):
        return [
            (bubble["data-by"], bubble.select_one(".said-text").get_text().strip())
            for bubble in self.soup.select(".bubble")
        ]


@pytest.fixture
def open_panel(client):
    """A function that opens a panel on a page."""
    opened = []

    def open_on(address="/"):
        socket = client.websocket_connect("ws://127.0.0.1/ws", headers={"Origin": LOCAL})
        opened.append(socket)
        shown = Panel(socket.__enter__(), address)
        return shown

    yield open_on
    for socket in opened:
        socket.__exit__(None, None, None)


# --- the panel's content


def test_the_panel_says_who_answers(client):
    page = client.get("/chat").text
    assert f"{MODEL}, on this machine" in page
    assert 'ws-connect="/ws"' in page


@pytest.mark.parametrize(
    ("models", "wanted", "says"),
    [
        ([], None, "no model 'llama3.2'"),
        (["a:1", "llama3.2:latest"], None, "llama3.2:latest, on"),
        (["a:1", "b:2"], None, "a:1, on"),
        (["a:1", "b:2"], "b", "b:2, on"),
        (["a:1", "b:2"], "b:2", "b:2, on"),
        (["a:1"], "c", "no model 'c'"),
    ],
)
def test_the_model_is_the_wanted_one_or_one_that_is_there(make_client, models, wanted, says):
    with StandIn(models) as served:
        client = make_client(ollama=Ollama(served.address, wanted))
        shown = BeautifulSoup(client.get("/chat").text, "html.parser").get_text()
        assert says in shown
        assert ("ollama pull" in shown) == ("no model" in says)


def test_without_ollama_one_line_says_how_to_get_it_and_all_else_works(make_client):
    with StandIn() as served:
        address = served.address
    client = make_client(ollama=Ollama(address))
    page = BeautifulSoup(client.get("/chat").text, "html.parser")
    assert page.find("textarea") is None
    line = page.select_one(".chat-missing p").get_text()
    assert f"No Ollama server answers at {address}." in line
    assert "ollama pull llama3.2" in line
    assert "\n" not in line
    Trip(client, "x").start().answer()
    with client.websocket_connect("ws://127.0.0.1/ws", headers={"Origin": LOCAL}) as socket:
        shown = Panel(socket, "/")
        shown.ask("Is anybody there?")
        shown.until("No Ollama server answers")
        assert shown.until_idle().said[0] == ("person", "Is anybody there?")


@pytest.mark.parametrize(
    "text", ["", "localhost:11434", "ftp://x", "http://", "http://x:0", "http://[x"]
)
def test_what_is_no_address(text):
    with pytest.raises(HostError) as caught:
        address_of(text)
    assert caught.value.code == "PP550"


def test_the_command_refuses_such_an_address(tmp_path):
    with pytest.raises(HostError) as caught:
        serve.serve(tmp_path, tmp_path, ollama="localhost:11434")
    assert (caught.value.code, caught.value.exit_code) == ("PP550", 2)


def test_an_address_is_taken_as_it_is_meant():
    assert address_of(" http://box.example:1234/ollama/ ") == "http://box.example:1234/ollama"


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Host": "evil.example"}]
)
def test_a_page_of_another_site_cannot_connect(client, headers):
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect("ws://127.0.0.1/ws", headers={"Origin": LOCAL, **headers}),
    ):
        pass


# --- answers


def test_an_answer_comes_word_by_word_and_nothing_is_lost(open_panel, stand_in):
    go_on = Wait()
    stand_in.scripts.append([*text("very ", "very ", "good|", done=False), go_on, *text("<b> end")])
    shown = open_panel()
    other = open_panel()
    shown.ask("How is it? a|b [ls] <script>alert(1)</script>")
    shown.until("very")
    go_on.event.set()
    shown.until_idle()
    assert shown.said == [
        ("person", "How is it? a|b [ls] <script>alert(1)</script>"),
        ("model", "very very good|<b> end"),
    ]
    assert shown.soup.find(["script", "b"]) is None
    assert other.until_idle().said == shown.said  # every panel hears all of it
    assert open_panel("/runs").said == shown.said  # and so does one that comes later
    asked = stand_in.asked[0]
    assert asked["model"] == MODEL
    assert asked["messages"][-1] == {"role": "user", "content": shown.said[0][1]}
    assert [m["content"] for m in asked["messages"]].count(shown.said[0][1]) == 1
    assert {tool["function"]["name"] for tool in asked["tools"]} == {
        "list_tasks",
        "add_task",
        "change_task",
        "remove_task",
    }


@pytest.mark.parametrize(
    ("script", "says", "kept"),
    [
        (error(404, "model 'x' not found"), "no model", None),
        (error(500, "out of memory."), "Ollama could not answer: out of memory. Ask", None),
        ([Status(502, b"<html>")], "Ollama could not answer: status 502.", None),
        ([*text("half ", done=False), Gone()], "connection to Ollama was lost", "half"),
        (text("half ", done=False), "Ollama ended the connection", "half"),
        ([*text("half ", done=False), b"garbage\n"], "a line that is not JSON", "half"),
        ([*text("half ", done=False), b"[1]\n"], "no part of an answer", "half"),
        ([*text("half ", done=False), {"error": "stuck"}], "could not answer: stuck", "half"),
        ([{"message": {"content": 1}}, b"\n", END], "gave no answer", None),
        (text("x" * 70_000), "it became too long", "x" * 70_000),
    ],
)
def test_when_an_answer_fails_the_panel_says_why_and_goes_on(
    open_panel, stand_in, script, says, kept
):
    stand_in.scripts.extend([script, text("fine")])
    shown = open_panel()
    shown.ask("One")
    shown.until_idle()
    said = dict(shown.said)
    assert says in said.get("host", "")
    assert said.get("model") == kept
    shown.ask("Two")
    assert shown.until_idle().said[-1] == ("model", "fine")


def test_stop_ends_the_answer_and_the_request(open_panel, stand_in):
    stand_in.scripts.extend([[*text("first ", done=False), Wait()], text("fine")])
    shown = open_panel()
    shown.ask("One")
    shown.until("first")
    shown.ask("Two, which waits")
    shown.send(do="stop")
    shown.ask("Three")  # at once, while the first one is still ending
    shown.until("Stopped.")
    shown.until("fine")
    assert ("model", "first") in shown.said
    assert stand_in.left.wait(20)
    assert len(stand_in.asked) == 2
    assert stand_in.asked[1]["messages"][-1]["content"] == "Three"


def test_clear_in_the_midst_of_an_answer(open_panel, stand_in):
    stand_in.scripts.extend([[*text("first ", done=False), Wait()], text("fine")])
    shown = open_panel()
    shown.ask("One")
    shown.until("first")
    shown.send(do="clear")
    shown.until_idle()
    shown.ask("Two")
    assert shown.until("fine").until_idle().said == [("person", "Two"), ("model", "fine")]


def test_questions_wait_for_each_other(open_panel, stand_in):
    go_on = Wait()
    stand_in.scripts.extend([[go_on, *text("one")], text("two")])
    shown = open_panel()
    shown.ask("1")
    shown.ask("2")
    shown.until("2")
    go_on.event.set()
    shown.until_idle()
    assert [words for by, words in shown.said if by == "model"] == ["one", "two"]
    # what is asked later is no part of an earlier question
    assert stand_in.asked[0]["messages"][-1]["content"] == "1"
    assert [m["content"] for m in stand_in.asked[1]["messages"]][-3:] != ["1", "2", "one"]


def test_a_model_without_tools_is_asked_without_them(open_panel, stand_in):
    refused = error(400, f"registry.ollama.ai/library/{MODEL} does not support tools")
    stand_in.scripts.extend([refused, text("fine"), text("again")])
    shown = open_panel()
    for question in ("One", "Two"):
        shown.ask(question)
        shown.until_idle()
    assert [words for by, words in shown.said if by == "model"] == ["fine", "again"]
    assert ["tools" in asked for asked in stand_in.asked] == [True, False, False]


def test_clear_forgets(open_panel, stand_in):
    stand_in.scripts.append(text("fine"))
    shown = open_panel()
    shown.ask("One")
    shown.until_idle()
    shown.send(do="clear")
    shown.hear()
    assert shown.said == []
    assert open_panel().said == []


NOT_UNDERSTOOD = [
    *("", "no json", "[1]", "{}", '{"do": []}', '{"do": "ask"}', "[" * 200_000),
    '{"do": "undo", "id": "x"}',
    '{"do": "ask", "chat_text": " ", "HEADERS": 1}',
    '{"do": "drop", "HEADERS": {"HX-Current-URL": "http://["}}',
    '{"do": "ask", "chat_text": "' + "x" * 300_000 + '"}',
]


def test_what_is_not_understood_is_left_alone(open_panel, stand_in):
    stand_in.scripts.append(text("fine"))
    shown = open_panel()
    for sent in NOT_UNDERSTOOD:
        shown.socket.send_text(sent)
    shown.ask("One")
    shown.until_idle()
    assert shown.said == [("person", "One"), ("model", "fine")]


# --- tools


def tasks(client):
    return [(t["id"], t["text"], bool(t["done"])) for t in client.app.state.store.rows("tasks")]


def test_the_model_keeps_the_tasks(client, open_panel, stand_in):
    stand_in.scripts.extend(
        [
            call("add_task", {"text": "Book <b>rooms</b>"}),
            call("list_tasks", {}),
            call("change_task", {"id": 1, "done": True, "text": "Book the rooms"}),
            text("Done."),
        ]
    )
    shown = open_panel("/tasks")
    shown.ask("Add a task")
    shown.until_idle()
    assert tasks(client) == [(1, "Book the rooms", True)]
    assert [words for by, words in shown.said if by == "host"] == [
        "Added the task “Book <b>rooms</b>”.",
        "Changed the task “Book the rooms”. It is done.",
    ]
    assert shown.said[-1] == ("model", "Done.")
    told = [m for m in stand_in.asked[3]["messages"] if m["role"] == "tool"]
    assert [m["tool_name"] for m in told] == ["add_task", "list_tasks", "change_task"]
    listed = {"tasks": [{"id": 1, "text": "Book <b>rooms</b>", "done": False}]}
    assert json.loads(told[1]["content"]) == listed
    turns = [m for m in stand_in.asked[3]["messages"] if m.get("tool_calls")]
    assert turns[0]["tool_calls"][0]["function"]["name"] == "add_task"
    assert any("/tasks/list" in piece for piece in shown.raw)  # the page asks for the list again


def test_what_the_model_removed_comes_back(client, open_panel, stand_in):
    client.post("/tasks", data={"text": "mine"}, headers=HTMX)
    stand_in.scripts.extend([call("remove_task", {"id": "1"}), text("Removed.")])
    shown = open_panel("/")
    shown.ask("Remove it")
    shown.until_idle()
    assert tasks(client) == []
    undo = shown.soup.find("input", attrs={"name": "id"})
    assert not any("/tasks/list" in piece for piece in shown.raw)
    shown.send(do="undo", id=undo["value"])
    shown.until("The task “mine” is back.")
    assert tasks(client) == [(1, "mine", False)]
    shown.send(do="undo", id=undo["value"])
    shown.until("cannot be restored")


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("shell", {"command": "ls"}, "There is no tool 'shell'"),
        ("", None, "There is no tool"),
        ("add_task", {}, "'text' is a required property"),
        ("add_task", {"text": ""}, "text:"),
        ("add_task", {"text": "\n \n"}, "Please enter"),
        ("add_task", {"text": "x" * 501}, "text:"),
        ("add_task", {"text": 5}, "text:"),
        ("add_task", {"text": "x", "profile_id": 2}, "Additional properties"),
        ("add_task", "not JSON", "arguments:"),
        ("add_task", [1], "arguments:"),
        ("change_task", {"id": 1}, "Give the new text"),
        ("change_task", {"id": True, "done": True}, "id:"),
        ("change_task", {"id": "1 or 1=1", "done": True}, "id:"),
        ("change_task", {"id": 10**30, "done": True}, "no such number"),
        ("change_task", {"id": 99, "done": True}, "There is no task 99"),
        ("remove_task", {"id": 2}, "There is no task 2"),
    ],
)
def test_a_call_that_does_not_fit_changes_nothing_and_says_why(store, name, arguments, says):
    tools = Tools(Tasks(None, store))
    tools.call(Call("add_task", {"text": "mine"}))
    store.table("tasks").insert(text="of another", done=False, priority=1, profile_id=2)
    before = store.rows("tasks")
    result = tools.call(Call(name, arguments))
    assert says in result.answer["error"]
    assert json.loads(result.text) == result.answer
    assert result.message == ""
    assert store.rows("tasks") == before


def test_arguments_as_small_models_write_them(store):
    tools = Tools(Tasks(None, store))
    assert tools.call(Call("add_task", '{"text": "x"}')).answer["added"]["id"] == 1
    assert tools.call(Call("change_task", {"id": "1", "done": "true"})).answer["changed"]["done"]
    assert tools.call(Call("list_tasks", None)).answer["tasks"][0]["done"] is True


def test_a_model_that_only_uses_tools_comes_to_an_end(client, open_panel, stand_in):
    stand_in.scripts.extend([call("list_tasks", {}) for _ in range(20)])
    shown = open_panel()
    shown.ask("Go on")
    shown.until_idle()
    assert len(stand_in.asked) == 7
    assert "tools" not in stand_in.asked[-1]  # the last time it has to answer


# --- what the model is told


def test_the_model_is_told_what_the_page_shows(client, open_panel, stand_in):
    trip = Trip(client, "a trip").start().answer("step_01")
    plugin = client.app.state.loaded.by_app["trip"]
    plugin.instance.TRAINING_PROMPT = "Prices are in francs."
    stand_in.scripts.append(text("fine"))
    shown = open_panel(f"/trip_planner?run={trip.key}")
    shown.ask("What shall I choose?", nights="9", season="Summer", other="not on the page")
    shown.until_idle()
    told = stand_in.asked[0]["messages"][0]["content"]
    for words in (
        "Prices are in francs.",
        "Workflow: Trip planner. What a trip costs",
        f"key {trip.key}",
        "Standing: Next: How long and how",
        "[Done: Who comes along (step_01)]",
        "People: 0",
        "[Current step: How long and how (step_02)]",
        "Question: Nights = '9'",
        "Question: Travel = 'train' (choices: train, car, bicycle)",
        "Question: With breakfast = 'on'",
        "Question: Season = 'Summer' (choices: Summer, Winter)",
    ):
        assert words in told
    assert "not on the page" not in told
    trip.answer("step_02", "step_03")
    stand_in.scripts.append(text("fine"))
    shown.ask("And now?")
    shown.until_idle()
    told = stand_in.asked[1]["messages"][0]["content"]
    assert "0 people, 4 nights" in told or "0 people, 0 nights" in told
    assert "Standing: Ready to finish" in told
    assert len(told) < 14_000


SECRET = """
from fasthtml.common import *
ROLES = ["Core"]
class W:
    APP_NAME = "safe"
    DISPLAY_NAME = "Safe"
    async def landing(self, request):
        return Div(P("Landing"), Form(Label("Key", fr="k"), Input(type="password", id="k", name="k", value="hunter2"),
                   Input(type="hidden", name="t", value="token"), Input(name="n", value="seen", aria_label="Name")))
"""


SLOW = """
import asyncio
from fasthtml.common import *
class W:
    APP_NAME = DISPLAY_NAME = "slow"
    async def landing(self, request):
        await asyncio.sleep(1000)
"""


def test_a_page_that_does_not_come_does_not_hold_the_answer_up(
    make_client, tmp_path, stand_in, monkeypatch
):
    monkeypatch.setattr(context, "TIME", 0.1)
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "slow.py").write_text(SLOW)
    client = make_client(folder, ollama=Ollama(stand_in.address))
    stand_in.scripts.append(text("fine"))
    with client.websocket_connect("ws://127.0.0.1/ws", headers={"Origin": LOCAL}) as socket:
        shown = Panel(socket, "/slow")
        shown.ask("What is here?")
        assert shown.until_idle().said[-1] == ("model", "fine")
    assert "could not be read" in stand_in.asked[0]["messages"][0]["content"]


def test_secrets_are_not_told(make_client, tmp_path, stand_in):
    folder = tmp_path / "plugins"
    folder.mkdir()
    (folder / "safe.py").write_text(SECRET)
    client = make_client(folder, ollama=Ollama(stand_in.address))
    stand_in.scripts.append(text("fine"))
    with client.websocket_connect("ws://127.0.0.1/ws", headers={"Origin": LOCAL}) as socket:
        shown = Panel(socket, "/safe")
        shown.ask("Which key?", k="hunter3")
        shown.until_idle()
    told = json.dumps(stand_in.asked)
    assert "Question: Name = 'seen'" in told
    assert "hunter" not in told
    assert "token" not in told


@pytest.mark.parametrize(
    ("address", "says"),
    [("/", "Trip planner"), ("/tasks", "Water the plants"), ("/trip_planner", "Start a new run"),
     ("/nothing", "A page without"), ("/chat", "A page without"), ("/trip/revert", "A page without")],
)  # fmt: skip
def test_other_pages_are_told_too(client, open_panel, stand_in, address, says):
    client.post("/tasks", data={"text": "Water the plants"}, headers=HTMX)
    stand_in.scripts.append(text("fine"))
    shown = open_panel(address)
    shown.ask("What is here?")
    shown.until_idle()
    assert says in stand_in.asked[0]["messages"][0]["content"]


def test_looking_at_a_page_is_no_visit(client, open_panel, stand_in):
    trip = Trip(client, "a trip").start()
    before = client.app.state.store.setting("pipeline_id"), trip.state
    stand_in.scripts.append(text("fine"))
    shown = open_panel(f"/trip_planner?run={trip.key}")
    shown.ask("What?")
    shown.until_idle()
    assert (client.app.state.store.setting("pipeline_id"), trip.state) == before
    assert len(shown.said) == 2


# --- what workflows say


def test_what_workflows_say_is_shown_once_and_told_once(client, open_panel, stand_in):
    pip = client.app.state.pipulate
    shown = open_panel()

    async def say():
        await pip.message_queue.add(pip, "Welcome <i>here</i>", verbatim=True)
        await pip.stream("Once more", verbatim=True)
        pip.append_to_history("Only for the model")

    client.portal.call(say)
    shown.until("Once more")
    assert shown.said == [("workflow", "Welcome <i>here</i>"), ("workflow", "Once more")]
    stand_in.scripts.append(text("fine"))
    shown.ask("And?")
    shown.until_idle()
    told = [m["content"] for m in stand_in.asked[0]["messages"][1:]]
    assert told == [
        "The workflow told the person: Welcome <i>here</i>",
        "The workflow told the person: Once more",
        "Only for the model",
        "And?",
    ]


def test_what_a_workflow_said_last_is_not_said_again(client, open_panel, stand_in):
    pip = client.app.state.pipulate
    shown = open_panel()

    async def say(*words):
        for word in words:
            assert await pip.message_queue.add(pip, word, verbatim=True) == word

    client.portal.call(say, "Begin.", "Begin.", "Go on.", "Begin.")
    shown.until("Go on.")
    stand_in.scripts.append(text("Begin."))
    shown.ask("Begin.")
    shown.until_idle()
    client.portal.call(say, "Begin.", "The end.")
    said = [("workflow", "Begin."), ("workflow", "Go on."), ("workflow", "Begin.")]
    asked = [("person", "Begin."), ("model", "Begin.")]
    end = [("workflow", "Begin."), ("workflow", "The end.")]
    assert shown.until("The end.").said == [*said, *asked, *end]


def test_a_workflow_can_ask_the_model_and_does_not_wait(client, open_panel, stand_in):
    pip = client.app.state.pipulate
    stand_in.scripts.append(text("42"))
    shown = open_panel()

    async def ask():
        return await pip.message_queue.add(pip, "What is it?", verbatim=False)

    assert client.portal.call(ask) == "What is it?"
    assert shown.until_idle().said == [("person", "What is it?"), ("model", "42")]


def test_without_a_panel_no_model_is_asked(client, stand_in):
    pip = client.app.state.pipulate

    async def ask():
        return await pip.stream("What is it?")

    assert client.portal.call(ask) == "What is it?"
    assert [m.text for m in pip.message_queue.messages] == ["What is it?"]
    assert stand_in.asked == []


def test_messages_without_a_panel_are_bounded_and_shown_to_each_that_comes(client, open_panel):
    history = client.app.state.pipulate.message_queue
    for number in range(HISTORY + 50):
        history.keep(Message("user", f"n{number}"))
    for _ in range(2):
        said = open_panel().said
        assert len(said) == HISTORY
        assert said[-1] == ("workflow", f"n{HISTORY + 49}")


def test_what_the_model_reads_again_is_bounded():
    history = History()
    for number in range(200):
        history.keep(Message("user", f"{number} " + "x" * 1_000, by="person"))
    question = history.keep(Message("user", "now", by="person"))
    history.keep(Message("user", "later", by="person"))
    read = recent(history.messages, question)
    assert read[-1]["content"] == "now"
    assert sum(len(m["content"]) for m in read) <= MEMORY
    short = [Message("user", str(n), by="person") for n in range(100)]
    assert len(recent(short, short[-1])) == RECENT


# --- whatever comes

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
MESSAGE = st.fixed_dictionaries({}, optional={"content": JSON, "tool_calls": JSON | st.lists(
    st.fixed_dictionaries({"function": st.fixed_dictionaries({}, optional={"name": JSON, "arguments": JSON})}))})  # fmt: skip
LINE = JSON | st.fixed_dictionaries({}, optional={"message": JSON | MESSAGE, "done": JSON})


@given(value=LINE)
@settings(max_examples=60, deadline=None)
def test_any_line_is_a_part_of_an_answer_or_an_error_in_words(value):
    part, code = ollama.Part(), "PP553"
    try:
        part = ollama._part(json.dumps(value))
    except HostError as error:
        code = error.code
    assert code in ("PP553", "PP554")
    assert isinstance(part.text, str)
    assert all(isinstance(each.name, str) for each in part.calls)
    assert isinstance(part.done, bool)


def test_halves_of_characters_break_nothing(client, open_panel, stand_in):
    stand_in.scripts.extend([call("add_task", {"text": "\ud83d"}), text("\ud83d", "\ude00 fine")])
    shown = open_panel()
    shown.ask("a\ud800b", nights="\ud800")
    assert shown.until_idle().said[-1] == ("model", "?? fine")
    assert shown.said[0] == ("person", "a?b")
    assert tasks(client) == [(1, "?", False)]


@given(data=st.data())
@settings(max_examples=80, deadline=None)
def test_any_call_has_an_answer_and_stays_within_the_profile(data, store_of_two):
    tools, store, theirs = store_of_two
    name = data.draw(st.sampled_from(["list_tasks", "add_task", "change_task", "remove_task", "x"]))
    fields = {"id": JSON | st.integers(0, 5), "text": JSON, "done": JSON, "profile_id": JSON}
    arguments = data.draw(JSON | st.fixed_dictionaries({}, optional=fields))
    result = tools.call(Call(name, arguments))
    assert json.loads(result.text) == result.answer
    assert ("error" in result.answer) <= (not result.message)
    assert store.rows("tasks", profile_id=2) == theirs


@pytest.fixture(scope="module")
def store_of_two(tmp_path_factory):
    store = StateStore(tmp_path_factory.mktemp("store") / "pipulate.db")
    store.table("tasks").insert(text="of another", done=False, priority=1, profile_id=2)
    yield Tools(Tasks(None, store)), store, store.rows("tasks", profile_id=2)
    store.close()


# --- small things


def test_an_answer_is_markdown_without_links_and_pictures():
    source = (
        "**bold** `code`\n\n- one\n- two\n\n[x](http://evil.example/?q=1) ![y](http://evil.example/p.png) <http://evil.example>"
        "\n\n<img src=x onerror=alert(1)><script>alert(1)</script>\n\n| a |\n|---|\n| b |\n\n[r]: http://evil.example\n[r]"
    )
    soup = BeautifulSoup(panel.markdown(source), "html.parser")
    assert soup.strong.get_text() == "bold"
    assert len(soup.find_all("li")) == 2
    assert soup.table is not None
    assert soup.find(["a", "img", "script"]) is None
    assert all(not tag.attrs for tag in soup.find_all())
    assert "http://evil.example/?q=1" in soup.get_text()  # it is read, not followed


def test_the_middle_of_a_long_text_is_left_out():
    assert shortened("abc", 3) == "abc"
    short = shortened("a" * 50 + "b" * 50, 30)
    assert short.startswith("a" * 20)
    assert short.endswith("b" * 10)
    assert "70 characters left out" in short
