"""What a ported plugin needs when it runs; and in a notebook: `from pipulate_runtime import pip`, `%load_ext pipulate_runtime`."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipulate_runtime.jupyter.pip import pip as pip


def __getattr__(name: str) -> Any:
    """Import `pip` when it is asked for: whoever needs something else does not pay for it (PEP 562)."""
    if name == "pip":
        from pipulate_runtime.jupyter.pip import pip

        return pip
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def load_ipython_extension(shell: Any) -> None:
    """Add `%port` to Jupyter: what `%load_ext pipulate_runtime` calls."""
    from pipulate_runtime.jupyter import magic

    magic.load(shell)
