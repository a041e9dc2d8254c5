"""The folder of a run: the working folder of its cells, and large outputs beside the database."""

import hashlib
import json
import os
import re
import secrets
import shutil
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipulate_runtime.cells.outputs.collect import Output

LARGE = 64 * 1024  # bytes; a larger output goes to a file instead of the run's row
MANY = 4 * LARGE  # bytes of a cell in the row; after them only small payloads are added
SMALL = 1024

# The route ends in the kind, never in a file name: FastHTML itself answers what looks like a static file.
KINDS = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "svg": "image/svg+xml",
    "html": "text/html",
    "json": "application/json",
    "text": "text/plain",
    "frame": "text/html",
}
_KIND_OF = {mime: kind for kind, mime in KINDS.items() if kind != "frame"}
PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_IN_FILES = {*PICTURES, "image/svg+xml", "text", "text/plain"}  # a page can link to these
_NAME = re.compile(r"[0-9a-f]{32}\.[a-z]+")


@lru_cache(maxsize=100_000)  # the page of all runs asks for each run there is
def run_folder_name(app_name: str, key: str) -> str:
    """Return the folder of a run below `<data>/runs`: `app/key-digest`."""
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:10]
    app, readable = (re.sub(r"[^A-Za-z0-9_]+", "_", text) for text in (app_name, key))
    return f"{app}/{readable[:60]}-{digest}"


class RunFolder:
    """`<data>/runs/<app>/<key>`: `work` is the working folder of the kernel, `outputs` holds large payloads."""

    def __init__(self, data: Path, app_name: str, key: str) -> None:
        """Makes nothing on the disk yet."""
        self.path = data.resolve() / "runs" / run_folder_name(app_name, key)

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def work(self) -> Path:
        return self.path / "work"

    @property
    def outputs(self) -> Path:
        return self.path / "outputs"

    def fresh_work(self, files: Path | None) -> Path:
        """Empty the working folder and copy the bundled files there, so that every replay starts the same."""
        if self.work.exists():
            shutil.rmtree(self.work)
        if files and files.is_dir():
            shutil.copytree(files, self.work)
        else:
            self.work.mkdir(parents=True)
        return self.work

    def keep(self, content: bytes, kind: str) -> str:
        """Write a payload to a file named by its content; return the name."""
        name = f"{hashlib.sha256(content).hexdigest()[:32]}.{kind}"
        path = self.outputs / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            # A unique name: a page and a thread may write the same picture at once
            part = path.with_suffix(f".{secrets.token_hex(8)}")
            with part.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(
                    file.fileno()
                )  # like the row that names it, the file must survive a power cut
            part.replace(path)
        return name

    def read(self, name: str) -> bytes:
        """Return a payload. Raises FileNotFoundError, also for a name that is not one of ours."""
        if not _NAME.fullmatch(name):
            raise FileNotFoundError(name)
        return (self.outputs / name).read_bytes()

    def ends(self, name: str, limit: int) -> tuple[int, str, str]:
        """Return the size of a text in bytes, and its two ends; the first one is the whole text if that is not longer than `limit`."""
        path = self.outputs / name
        with path.open("rb") as file:
            size = path.stat().st_size
            if size <= limit:
                return size, file.read().decode("utf-8", "replace"), ""
            start = file.read(limit // 2)
            file.seek(-(limit // 2), os.SEEK_END)
            return size, start.decode("utf-8", "ignore"), file.read().decode("utf-8", "ignore")

    def delete(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


# --- payloads of a stored cell ---
# record["files"] = {"<number of the output>": {"<mime, or text>": "<file>"}}; the output itself holds "" in its place,
# so that it stays valid nbformat: streams and errors may carry no metadata.


Files = dict[str, dict[str, str]]


def offload(folder: RunFolder, record: dict[str, Any], limit: int = LARGE) -> None:
    """Move the payloads of a cell that are larger than `limit` bytes, or too many, to files of the run."""
    replace_by_names(record, write_large(folder, record, limit))


def write_large(folder: RunFolder, record: dict[str, Any], limit: int = LARGE) -> Files:
    """Write these payloads to files and return their names. A thread can do it: the record is only read."""
    files: Files = {}
    kept = 0
    for number, output in enumerate(record["outputs"]):
        parts = output.get("data", output)
        for part in output.get("data", {"text"} & output.keys()):
            content = _content(part, parts[part])
            if len(content) > (limit if kept + len(content) <= MANY else min(limit, SMALL)):
                name = folder.keep(content, _KIND_OF.get(part, _kind(part)))
                files.setdefault(str(number), {})[part] = name
            else:
                kept += len(content)
    return files


def replace_by_names(record: dict[str, Any], files: Files) -> None:
    """Replace payloads by the names of their files."""
    for number, names in files.items():
        output = record["outputs"][int(number)]
        output.get("data", output).update(dict.fromkeys(names, ""))
    if files:
        record["files"] = files


def load_outputs(folder: RunFolder, record: dict[str, Any], large: bool = True) -> list[Output]:
    """Return the outputs of a cell with all payloads. A lost file leaves a sentence in its place.

    With `large=False`, pictures and texts stay in their files; `output["files"]` then has the names of all files.
    """
    outputs = []
    for number, output in enumerate(record["outputs"]):
        names = record.get("files", {}).get(str(number), {})
        output = {**output, "data": dict(output["data"])} if "data" in output else dict(output)
        parts = output.get("data", output)
        for part, name in names.items():
            if not large:
                output.setdefault("files", {})[part] = name
                if part in _IN_FILES and (folder.outputs / name).exists():
                    continue
            try:
                parts[part] = _value(part, folder.read(name))
            except OSError:
                parts.pop(part)
                parts["text/plain" if "data" in output else part] = (
                    "(The file of this output is missing.)\n"
                )
        outputs.append(output)
    return outputs


def keep(folder: RunFolder, mime: str, value: Any) -> str:
    """Write a payload to a file of the run; return its name."""
    return folder.keep(_content(mime, value), _KIND_OF.get(mime, _kind(mime)))


def _kind(mime: str) -> str:
    return "json" if mime.endswith("json") else "text"


def _content(mime: str, value: Any) -> bytes:
    if mime in PICTURES and isinstance(value, str):
        import base64

        try:
            return base64.b64decode(value)
        except ValueError:  # not base64: stored as text
            pass
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode("utf-8", "surrogatepass")


def _value(mime: str, content: bytes) -> Any:
    if mime in PICTURES:
        import base64

        return base64.b64encode(content).decode() + "\n"
    text = content.decode("utf-8", "surrogatepass")
    return json.loads(text) if mime.endswith("json") else text
