# ruff: noqa: D102, D105  (CONTRACT 1.11 describes each member)
"""The object a plugin receives as `pipulate`, as a type. docs/host-contract.md says the same in words.

Imports neither the host nor the compiler: it is the line on which the two meet. Components are `Any`, as FastHTML's
are untyped.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

State = dict[str, Any]
Component = Any


class StepLike(Protocol):
    """A row of a plugin's `steps` list (CONTRACT 1.6)."""

    @property
    def id(self) -> str: ...
    @property
    def done(self) -> str: ...
    @property
    def show(self) -> str: ...


Steps = Sequence[StepLike]


class KeyValues(Protocol):
    """`pip.db`: texts by name. `pipeline_id` is the key of the run the current request is about."""

    def get(self, name: str, default: object = None, /) -> object: ...
    def __getitem__(self, name: str, /) -> str: ...
    def __setitem__(self, name: str, value: object, /) -> None: ...
    def __delitem__(self, name: str, /) -> None: ...
    def __contains__(self, name: object, /) -> bool: ...
    def keys(self) -> Iterable[str]: ...
    def items(self) -> Iterable[tuple[str, str]]: ...


class MessageQueue(Protocol):
    """`pip.message_queue`: what the workflow told its user."""

    async def add(
        self,
        pipulate: Any,
        message: str,
        verbatim: bool = True,
        role: str = "user",
        spaces_before: int | None = None,
        spaces_after: int | None = 2,
        simulate_typing: bool = True,
    ) -> str: ...


class Runs(Protocol):
    """`pipeline`: the table of runs, with `xtra` to see only some of its rows (MiniDataAPI). It may be one for all plugins."""

    def xtra(self, **fields: Any) -> Any: ...
    def __call__(self) -> Sequence[Any]: ...


class Pipulate(Protocol):
    """What a plugin may call on its host (CONTRACT 1.11)."""

    UNLOCK_BUTTON_LABEL: str

    @property
    def db(self) -> KeyValues: ...
    @property
    def message_queue(self) -> MessageQueue: ...

    # state
    def read_state(self, key: str) -> State: ...
    def write_state(self, key: str, state: State) -> None: ...
    def get_step_data(self, key: str, step_id: str, default: State | None = None) -> State: ...
    async def set_step_data(
        self, key: str, step_id: str, value: Any, steps: Steps, clear_previous: bool = True
    ) -> Any: ...
    async def clear_steps_from(self, key: str, step_id: str, steps: Steps) -> State: ...
    def initialize_if_missing(
        self, key: str, initial: Mapping[str, Any] | None = None
    ) -> tuple[State | None, Component]: ...
    async def finalize_workflow(self, key: str, state_update: State | None = None) -> State: ...
    async def unfinalize_workflow(self, key: str) -> State: ...
    def check_finalize_needed(self, step_index: int, steps: Steps) -> bool: ...

    # keys
    def generate_pipeline_key(
        self, plugin: Any, user_input: str | None = None
    ) -> tuple[str, str, str]: ...
    def parse_pipeline_key(self, key: str) -> dict[str, str]: ...
    def get_plugin_context(self, plugin: Any = None) -> dict[str, Any]: ...

    # pages
    def register_workflow_routes(self, plugin: Any) -> None: ...
    def create_standard_landing_page(self, plugin: Any) -> Component: ...
    def run_all_cells(self, app_name: str, steps: Steps) -> Component: ...
    def chain_reverter(
        self, step_id: str, step_index: int, steps: Steps, app_name: str, value: Any
    ) -> Component: ...
    def display_revert_header(
        self,
        step_id: str,
        app_name: str,
        steps: Steps,
        message: str | None = None,
        target_id: str | None = None,
        revert_label: str | None = None,
        remove_padding: bool = False,
        show_when_finalized: bool = False,
    ) -> Component: ...
    def display_revert_widget(
        self,
        step_id: str,
        app_name: str,
        steps: Steps,
        message: str | None = None,
        widget: Any = None,
        target_id: str | None = None,
        revert_label: str | None = None,
        widget_style: str | None = None,
        finalized_content: Any = None,
        next_step_id: str | None = None,
    ) -> Component: ...
    def finalized_content(
        self,
        message: str,
        content: Any = None,
        heading_tag: Any = None,
        content_style: str | None = None,
    ) -> Component: ...
    async def handle_finalized_step(
        self, key: str, step_id: str, steps: Steps, app_name: str, plugin: Any = None
    ) -> Component: ...
    def wrap_with_inline_button(self, control: Any, **options: Any) -> Component: ...
    def update_datalist(
        self, datalist_id: str, options: Sequence[str] | None = None, should_clear: bool = False
    ) -> Component: ...
    def validate_step_input(
        self, value: Any, show: str, custom_validator: Callable[[str], Any] | None = None
    ) -> tuple[bool, str, Component]: ...

    # words
    def fmt(self, name: str) -> str: ...
    def make_singular(self, word: str) -> str: ...
    def get_config(self) -> Any: ...
    def get_ui_constants(self) -> dict[str, dict[str, str]]: ...
    def get_message_queue(self) -> MessageQueue: ...
    async def get_state_message(
        self, key: str, steps: Steps, messages: Mapping[str, Any]
    ) -> str: ...
    def append_to_history(self, text: str, role: str = "system") -> None: ...
    async def stream(
        self, message: str, verbatim: bool = False, role: str = "user", **options: Any
    ) -> str: ...
    async def log_api_call_details(self, *args: Any, **details: Any) -> None: ...
