"""`%port` in Jupyter: ports the notebook it stands in, and says where its app is.

    %load_ext pipulate_runtime
    %port                          this notebook
    %port trip.ipynb -o plugins    another one; all options of `pipulate port` can follow

The compiler runs as a command of its own. No server is started: a link is shown to the one that runs, else the command.
"""

import json
import os
import re
import shlex
import socket
import subprocess
import sys
import time
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipulate_runtime.notebook.places import data_folder

SECONDS = 300
# Starts the compiler as `python -m` would, but for the working directory: a `types.py` beside the notebook is not imported
APART = Path(__file__).resolve().parents[2] / "transpiler" / "apart.py"
_SESSION = re.compile(r"-jvsc-[0-9a-f-]+(?=\.ipynb$|$)")  # VS Code adds this to a session's name


class Shown:
    """A link, for a page and for a terminal."""

    def __init__(self, text: str, address: str) -> None:
        """`address` stands at the end."""
        self.text = text
        self.address = address

    def _repr_html_(self) -> str:
        address = escape(self.address, quote=True)
        link = f'<a href="{address}" target="_blank" rel="noopener">{address}</a>'
        return f"<p>{escape(self.text)} {link}</p>"

    def __repr__(self) -> str:
        """The line, for a terminal."""
        return f"{self.text} {self.address}"


def load(shell: Any) -> None:
    """Add the magic to a shell."""

    def port(line: str) -> Shown | None:
        """Port the notebook this stands in: %port [NOTEBOOK] [-o DIR] [options of `pipulate port`]."""
        return port_line(line, shell.user_ns)

    shell.register_magic_function(port, magic_kind="line", magic_name="port")


def port_line(line: str, names: dict[str, Any]) -> Shown | None:
    """Do what the line asks: print the report, return the link or print what to do. `names` is the notebook's namespace."""
    words = shlex.split(line)
    notebook = next((Path(word) for word in words if word.endswith(".ipynb")), None)
    if notebook is None:
        notebook = notebook_path(names)
        if notebook is None:
            print("Which notebook? This one cannot be found from here. Say it: %port NAME.ipynb")
            return None
        words.insert(0, str(notebook))
    server = running()
    if not {"-o", "--output"} & {word.partition("=")[0] for word in words}:
        words += ["-o", server["folder"] if server else "generated"]
    if not notebook.is_file():
        print(f"There is no notebook {notebook}. Save it first, or say where it is.")
        return None
    saved = time.strftime("%H:%M:%S", time.localtime(notebook.stat().st_mtime))
    print(f"{notebook.name} as it was saved at {saved}")
    ended = _pipulate(words)
    print((ended.stdout + ended.stderr).rstrip())
    plugin = _plugin(words) if ended.returncode in (0, 1) else None
    return _where(plugin, server) if plugin else None


def notebook_path(names: dict[str, Any]) -> Path | None:
    """Return the path of the notebook that this kernel belongs to: VS Code says it, and so does Jupyter's server."""
    said = names.get("__vsc_ipynb_file__")
    if isinstance(said, str) and said:
        return Path(said)
    session = _SESSION.sub("", os.environ.get("JPY_SESSION_NAME", ""))
    if not session:
        return None
    # Depending on the version it is a path, or one below the folder that the server was started in
    here = Path.cwd()
    below = [folder / session for folder in (here, *here.parents)]
    candidates = [Path(session), here / Path(session).name, *below]
    return next((path for path in candidates if path.suffix == ".ipynb" and path.is_file()), None)


def _pipulate(words: list[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", str(APART), "transpiler", "port", *words]
    environment = {**os.environ, "COLUMNS": "110", "PYTHONUTF8": "1"}
    return subprocess.run(
        command,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=SECONDS,
        env=environment,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def _plugin(words: list[str]) -> Path | None:
    """Return the plugin that the notebook has now. Nothing is left to do, so that this is a matter of a moment."""
    plain = [word for word in words if not word.startswith("-") or word in ("-o", "--output")]
    place = plain.index("-o") if "-o" in plain else plain.index("--output")
    notebook = next(word for word in plain if word.endswith(".ipynb"))
    ended = _pipulate([notebook, "-o", plain[place + 1], "--dry-run", "--json"])
    try:
        plugin = json.loads(ended.stdout)["plugin"]
    except (ValueError, KeyError, TypeError):
        return None
    return Path(plugin) if plugin else None


def running() -> dict[str, Any] | None:
    """Return what the host that runs with this data folder has noted of itself; None when none answers."""
    try:
        note = json.loads((data_folder() / "server.json").read_text(encoding="utf-8"))
        address = urlsplit(note["address"])
        with socket.create_connection((address.hostname, address.port or 80), timeout=1):
            return {
                "address": str(note["address"]),
                "folder": str(note["folder"]),
                "reload": bool(note["reload"]),
            }
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _where(plugin: Path, server: dict[str, Any] | None) -> Shown | None:
    folder = plugin.resolve().parent
    if server is None or Path(server["folder"]) != folder:
        print(
            f"No server shows this folder. This starts one: pipulate serve {shlex.quote(str(plugin.parent))} --reload"
        )
        return None
    key = re.sub(r"^\d+_", "", plugin.stem)
    text = "The app:"
    if not server["reload"]:
        text = (
            "The server was started without --reload, so start it again to see this port. The app:"
        )
    return Shown(text, f"{server['address']}/{key}")
