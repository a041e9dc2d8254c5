"""The texts and classes plugins find by name in `get_ui_constants()` (CONTRACT 1.13)."""

UNLOCK_BUTTON_LABEL = "Unlock"


class Texts(dict[str, str]):
    """Texts by name. A name of upstream's that is not here is "" rather than an error."""

    def __missing__(self, name: str) -> str:
        """The text of a name that is not here."""
        return ""


class Groups(dict[str, dict[str, str]]):
    """Texts by group and name; a group that is not here is empty."""

    def __missing__(self, name: str) -> dict[str, str]:
        """A group that is not here."""
        return Texts()


_GROUPS: dict[str, dict[str, str]] = {
    "BUTTON_LABELS": {
        "ENTER_KEY": "Start",
        "NEW_KEY": "New name",
        "NEXT_STEP": "Continue",
        "FINALIZE": "Finish",
        "UNLOCK": UNLOCK_BUTTON_LABEL,
        "PROCEED": "Continue",
        "HIDE_SHOW_CODE": "Show or hide the code",
        "VIEW_FOLDER": "Open the folder",
        "DOWNLOAD_CSV": "Download as CSV",
        "VISUALIZE_GRAPH": "Draw the graph",
        "SKIP_STEP": "Skip",
    },
    "BUTTON_STYLES": {
        "PRIMARY": "primary",
        "SECONDARY": "secondary",
        "OUTLINE": "secondary outline",
        "STANDARD": "secondary outline",
        "FLEX_CONTAINER": "display: flex; gap: .5rem; flex-wrap: wrap;",
        "BUTTON_ROW": "display: flex; gap: .5rem; align-items: center;",
        "SKIP_BUTTON": "secondary outline",
        "SKIP_BUTTON_STYLE": "",
        "BORDER_RADIUS": "var(--radius)",
    },
    "EMOJIS": {
        **{"KEY": "🔑", "SUCCESS": "✅", "WARNING": "⚠️", "ERROR": "❌", "COMPLETION": "✅"},
        **{"LOCKED": "🔒", "UNLOCKED": "🔓", "USER_INPUT": "👤", "GREETING": "👋"},
        **{"WORKFLOW": "🔄", "INPUT_FORM": "📝"},
    },
    "MESSAGES": {
        "WORKFLOW_UNLOCKED": "The run is open again. Answers can be changed.",
        "ALL_STEPS_COMPLETE": "All steps are done.",
        "FINALIZE_QUESTION": "All steps are done. Finish this run?",
        "FINALIZE_HELP": "Finishing protects the answers and results from changes. It can be undone.",
        "WORKFLOW_LOCKED": "This run is finished. Its answers and results are protected.",
        "STEP_COMPLETE": "Done.",
    },
    "LANDING_PAGE": {"INPUT_PLACEHOLDER": "A name to find this run by"},
}

UI_CONSTANTS: dict[str, dict[str, str]] = Groups(
    {group: Texts(texts) for group, texts in _GROUPS.items()}
)
