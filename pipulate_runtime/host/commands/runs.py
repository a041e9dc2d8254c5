"""The commands `runs ...` as functions: what is in the database, seen from outside of a server.

Each prints what it found and gives the exit code; what the user can put right is raised as HostError.
"""

import contextlib
import json
import sys
import zipfile
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipulate_runtime.host.base import errors
from pipulate_runtime.host.base.errors import HostError
from pipulate_runtime.host.state.private import write_private
from pipulate_runtime.host.state.run import Run
from pipulate_runtime.host.state.store import DATABASE, StateStore

if TYPE_CHECKING:
    from pipulate_runtime.host.pages.status import Standing
    from pipulate_runtime.host.plugins.model import Loaded

OK = 0


def _open(data: Path) -> StateStore:
    return StateStore(data / DATABASE)


def run_of(key: str, data: Path = Path("data")) -> Run:
    """The run of a key; raises HostError PP509."""
    with contextlib.closing(_open(data)) as store:
        return _find(store, key)


def _find(store: StateStore, key: str) -> Run:
    found = store.run(key)
    if found is None:
        raise errors.RUN_UNKNOWN.error(key=key)
    return found


def runs_list(data: Path = Path("data"), as_json: bool = False) -> int:
    """Prints the runs of the database, the one changed last first: state, step, time and size on disk."""
    from pipulate_runtime.host.pages.status import leftover_folders, standing_of

    with contextlib.closing(_open(data)) as store:
        found = [standing_of(run, None, data) for run in store.runs()]
        leftover = leftover_folders(data, store.known())
    if as_json:
        rows = [standing.as_dict() | {"steps_done": _done(standing.run)} for standing in found]
        print(json.dumps(rows, ensure_ascii=False, indent=2))
        return OK
    if not found:
        print("There are no runs yet.")
    _print_table(found)
    if leftover:
        folders = "1 folder belongs" if len(leftover) == 1 else f"{len(leftover)} folders belong"
        print(f"{folders} to no run; this deletes them: pipulate runs delete --leftover")
    return OK


def runs_data(data: Path, app_name: str | None, limit: int) -> list[dict[str, Any]]:
    """The runs of the database, or of one workflow, as data; [] where there is no database yet."""
    from pipulate_runtime.host.pages.status import standing_of

    if not (data / DATABASE).is_file():
        return []
    with contextlib.closing(_open(data)) as store:
        found = store.runs(app_name, limit)
        return [
            standing_of(run, None, data).as_dict() | {"steps_done": _done(run)} for run in found
        ]


def run_data(key: str, data: Path, outputs: bool) -> dict[str, Any]:
    """A run as data; without `outputs` only the ids of its cells. Raises HostError PP509, PP510."""
    from pipulate_runtime.host.pages.status import standing_of

    if not (data / DATABASE).is_file():
        raise errors.RUN_UNKNOWN.error(key=key)
    with contextlib.closing(_open(data)) as store:
        found = _find(store, key)
    state = {
        name: part if outputs else _without_outputs(part) for name, part in found.state.items()
    }
    return {**standing_of(found, None, data).as_dict(), "steps_done": _done(found), "data": state}


def _without_outputs(part: Any) -> Any:
    """What is kept of a step, of its cells only the ids."""
    if not isinstance(part, dict) or not isinstance(part.get("_cells"), list):
        return part
    return {**part, "_cells": [cell.get("id") for cell in part["_cells"]]}


def _print_table(found: "Sequence[Standing]") -> None:
    from pipulate_runtime.cells.page.render import readable

    rows = [
        (s.run.key, s.words, s.run.updated[:19].replace("T", " "), readable(s.size)) for s in found
    ]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(4)]
    for row in rows:
        *cells, size = (text.ljust(width) for text, width in zip(row, widths, strict=True))
        print("  ".join([*cells, size]).rstrip())


def _done(found: Run) -> list[str]:
    try:
        return sorted(name for name in found.state if name.startswith("step_"))
    except HostError:
        return []


def runs_show(key: str, data: Path = Path("data"), as_json: bool = False) -> int:
    """Prints a run: what was answered, step by step; with `as_json` the whole state. Raises HostError PP509, PP510."""
    from pipulate_runtime.host.pages.status import standing_of

    with contextlib.closing(_open(data)) as store:
        found = _find(store, key)
    if as_json:
        told = {**standing_of(found, None, data).as_dict(), "steps_done": _done(found)}
        print(json.dumps({**told, "data": found.state}, ensure_ascii=False, indent=2))
        return OK
    print(
        f"{found.key}\n  workflow  {found.app_name}\n  state     {standing_of(found, None, data).words}"
    )
    print(f"  changed   {found.updated[:19].replace('T', ' ')}")
    for name, value in found.state.items():
        if isinstance(value, dict):
            answers = {k: v for k, v in value.items() if not k.startswith("_")}
            print(f"  {name}: " + ", ".join(f"{k} = {v!r}" for k, v in answers.items()))
    return OK


def runs_export(
    key: str,
    out: Path | None = None,
    data: Path = Path("data"),
    folder: Path = Path("generated"),
    format: str = "ipynb",
) -> int:
    """Writes a run to a file, or prints it: as executed notebook (the plugin must be in `folder`) or as JSON.

    Raises HostError PP509, PP510, PP516, PP517, PP519.
    """
    with contextlib.closing(_open(data)) as store:
        found = _find(store, key)
        state = found.state
    if format == "json":
        text = json.dumps(state, ensure_ascii=False, indent=2) + "\n"
    else:
        text = _notebook(found, data, folder)
    if out is None:
        sys.stdout.write(text)
    else:
        write_text(out, text)
        print(f"Written: {out}")
    return OK


@contextlib.contextmanager
def _plugins(data: Path, folder: Path) -> "Iterator[Loaded]":
    """The plugins of a folder, to export what they made. Raises HostError PP501."""
    from pipulate_runtime import cells
    from pipulate_runtime.host.app import create_app

    if not folder.is_dir():
        raise errors.FOLDER_MISSING.error(folder=folder)
    app = create_app(folder, data)
    try:
        if app.state.loaded.compute:
            cells.configure(data=data)
        yield app.state.loaded
    finally:
        app.state.store.close()


def _notebook(found: Run, data: Path, folder: Path) -> str:
    from pipulate_runtime.host.plugins.export import notebook_text

    with _plugins(data, folder) as loaded:
        plugin = loaded.by_app.get(found.app_name)
        if plugin is None:
            raise errors.PLUGIN_GONE.error(key=found.key, folder=folder, app=found.app_name)
        return notebook_text(plugin, found.key, found.state)


def runs_export_all(out: Path, data: Path = Path("data"), folder: Path = Path("generated")) -> int:
    """Writes a zip with a notebook for each run whose plugin is in `folder`; says which have none.

    Raises HostError PP501, PP519.
    """
    from pipulate_runtime.cells.storage.files import text_entry
    from pipulate_runtime.host.plugins.export import notebook_text

    with contextlib.closing(_open(data)) as store, _plugins(data, folder) as loaded:
        written = 0
        try:
            write_private(out, "")
            with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
                for found in store.runs():
                    try:
                        plugin = loaded.by_app.get(found.app_name)
                        if plugin is None:
                            raise errors.PLUGIN_GONE.error(
                                key=found.key, folder=folder, app=found.app_name
                            )
                        text = notebook_text(plugin, found.key, found.state)
                    except HostError as problem:
                        print(problem.message, file=sys.stderr)
                        continue
                    archive.writestr(text_entry(f"{found.app_name}/{found.key}.ipynb"), text)
                    written += 1
        except OSError as error:
            reason = error.strerror or str(error)
            raise errors.FILE_UNWRITABLE.error(path=out, reason=reason) from error
    print(f"Written: {out} ({written} {'notebook' if written == 1 else 'notebooks'})")
    return OK


def length_of(text: str) -> timedelta:
    """A length of time: 90m, 30d. Raises HostError PP534."""
    from pipulate_runtime.host.pages import status

    return status.length_of(text)


def old_runs(older_than: timedelta, data: Path = Path("data")) -> list[str]:
    """The keys of the runs that were not changed for so long."""
    from pipulate_runtime.host.pages.status import before

    with contextlib.closing(_open(data)) as store:
        return [key for _, key in store.old_runs(before(older_than))]


def runs_delete(keys: Sequence[str], data: Path = Path("data")) -> int:
    """Deletes runs and their files, for good; not those that run now. Raises HostError PP509."""
    from pipulate_runtime import cells
    from pipulate_runtime.host.pages.status import standing_of

    deleted = 0
    with contextlib.closing(_open(data)) as store:
        cells.configure(data=data)
        for found in [_find(store, key) for key in keys]:
            if standing_of(found, None, data).kind == "running":
                print(f"Not deleted, since it is running: {found.key}", file=sys.stderr)
                continue
            store.delete(found.key)
            for app_name, key in store.purge([found.key]):
                cells.forget(app_name, key).delete()
            deleted += 1
            print(f"Deleted: {found.key}")
    return OK if deleted == len(keys) else errors.PROBLEM


def leftover(data: Path = Path("data")) -> Sequence[Path]:
    """The folders of runs that are in no row of the database."""
    from pipulate_runtime.host.pages.status import leftover_folders

    with contextlib.closing(_open(data)) as store:
        return leftover_folders(data, store.known())


def leftover_delete(folders: Sequence[Path]) -> int:
    """Deletes such folders."""
    from pipulate_runtime.cells.page.render import readable
    from pipulate_runtime.host.pages.status import delete_folders

    freed = delete_folders(folders)
    print(
        f"Deleted: {len(folders)} {'folder' if len(folders) == 1 else 'folders'}, {readable(freed)}"
    )
    return OK


def write_text(path: Path, text: str) -> None:
    """Writes a file for its owner alone: it holds what a run holds. Raises HostError PP519."""
    try:
        write_private(path, text)
    except OSError as error:
        reason = error.strerror or str(error)
        raise errors.FILE_UNWRITABLE.error(path=path, reason=reason) from error
