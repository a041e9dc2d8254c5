"""`%port` in Jupyter: ports the notebook it is in, and shows a link to the app.

    %load_ext pipulate_runtime
    %port                          this notebook
    %port trip.ipynb -o plugins    another one; all options of `pipulate port` can follow

The compiler runs as a separate process. It starts no server: it links to the running one, or shows the command to start one.
"""

import json
import os
import re
import shlex
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipulate_runtime.jupyter.pip import data_folder

SECONDS = 300
# As `python -m`, but without the working directory in the path: a `types.py` beside the notebook is not imported
ISOLATED = Path(__file__).resolve().parents[2] / "transpiler" / "features" / "isolated.py"
_SESSION = re.compile(r"-jvsc-[0-9a-f-]+(?=\.ipynb$|$)")  # VS Code adds this to a session's name


@dataclass(repr=False)
class Link:
    """A line with a link, for a page and for a terminal."""

    text: str
    address: str

    def _repr_html_(self) -> str:
        address = escape(self.address, quote=True)
        link = f'<a href="{address}" target="_blank" rel="noopener">{address}</a>'
        return f"<p>{escape(self.text)} {link}</p>"

    def __repr__(self) -> str:
        return f"{self.text} {self.address}"


def load(shell: Any) -> None:
    def port(line: str) -> Link | None:
        """Port this notebook, or another one: %port [NOTEBOOK] [-o DIR] [options of `pipulate port`]."""
        return port_line(line, shell.user_ns)

    shell.register_magic_function(port, magic_kind="line", magic_name="port")


def port_line(line: str, names: dict[str, Any]) -> Link | None:
    """Run the command: print the report, then return the link or print what to do. `names` is the notebook's namespace."""
    words = shlex.split(line)
    named = next((Path(word) for word in words if word.endswith(".ipynb")), None)
    notebook = named or notebook_path(names)
    if notebook is None:
        print("The path of this notebook is unknown. Name it: %port NAME.ipynb")
        return None
    if named is None:
        words.insert(0, str(notebook))
    server = running()
    output = _output(words)
    if output is None:
        output = server["folder"] if server else "generated"
        words += ["-o", output]
    if not notebook.is_file():
        print(f"There is no notebook {notebook}. Save it first, or give its path.")
        return None
    saved = time.strftime("%H:%M:%S", time.localtime(notebook.stat().st_mtime))
    print(f"{notebook.name}, saved at {saved}")
    ended = _pipulate(words)
    print((ended.stdout + ended.stderr).rstrip())
    plugin = _plugin(notebook, output) if ended.returncode in (0, 1) else None
    return _where(plugin, server) if plugin else None


def notebook_path(names: dict[str, Any]) -> Path | None:
    """Return the path of this kernel's notebook, from VS Code or from Jupyter's server; None if neither gives it."""
    path = names.get("__vsc_ipynb_file__")
    if isinstance(path, str) and path:
        return Path(path)
    session = _SESSION.sub("", os.environ.get("JPY_SESSION_NAME", ""))
    if not session:
        return None
    # Depending on the version it is absolute, or relative to the folder the server was started in
    here = Path.cwd()
    below = [folder / session for folder in (here, *here.parents)]
    candidates = [Path(session), here / Path(session).name, *below]
    return next((path for path in candidates if path.suffix == ".ipynb" and path.is_file()), None)


def _pipulate(words: list[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", str(ISOLATED), "transpiler", "port", *words]
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


def _output(words: list[str]) -> str | None:
    """Return the folder for plugins among the words, or None."""
    for word, after in pairwise([*words, ""]):
        if word in ("-o", "--output"):
            return after
        if word.startswith("--output="):
            return word.partition("=")[2]
    return None


def _plugin(notebook: Path, output: str) -> Path | None:
    """Return the plugin of the notebook, by a dry run, which is quick after a port."""
    ended = _pipulate([str(notebook), "-o", output, "--dry-run", "--json"])
    try:
        plugin = json.loads(ended.stdout)["plugin"]
    except (ValueError, KeyError, TypeError):
        return None
    return Path(plugin) if plugin else None


def running() -> dict[str, Any] | None:
    """Return the note of the running host with this data folder; None without one."""
    try:
        note = json.loads((data_folder() / "server.json").read_text(encoding="utf-8"))
        address = urlsplit(note["address"])
        with socket.create_connection((address.hostname, address.port or 80), timeout=1):
            return {name: note[name] for name in ("address", "folder", "reload")}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _where(plugin: Path, server: dict[str, Any] | None) -> Link | None:
    if server is None or Path(server["folder"]) != plugin.resolve().parent:
        start = f"pipulate serve {shlex.quote(str(plugin.parent))} --reload"
        print(f"No server shows this folder. This starts one: {start}")
        return None
    key = re.sub(r"^\d+_", "", plugin.stem)
    restart = "The server runs without --reload: restart it to see this port. "
    return Link(f"{'' if server['reload'] else restart}The app:", f"{server['address']}/{key}")
