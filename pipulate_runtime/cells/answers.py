"""What forms send, as a plugin takes it: texts, and files that are kept in the folder of the run."""

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from pipulate_runtime.cells.kernel import pool as pools
from pipulate_runtime.cells.page import questions
from pipulate_runtime.cells.storage import uploads
from pipulate_runtime.cells.storage.folders import RunFolder
from pipulate_runtime.cells.storage.forms import REMOVE, Sent


class Answers:
    """The part of `Cells` that takes answers."""

    plugin: Any
    files: Path | None
    """The folder of the files that come with the plugin."""

    def folder(self, key: str) -> RunFolder:
        """Return the folder of a run."""
        return RunFolder(pools.settings.data, self.plugin.app_name, key)

    async def sent(
        self,
        request: Any,
        several: Iterable[str] = (),
        files: Iterable[str] = (),
        labels: Mapping[str, str] | None = None,
        key: str = "",
    ) -> Sent:
        """Return what a form sent: texts by name, and a reader for each kind of answer (`sent.integer("limit", min=0)`).

        `labels` name the fields in messages; files need the `key` of the run. `several` and `files` are the names that
        may have several texts and files, where no reader says so.
        """
        keep = partial(self.uploaded_all, key) if key else None
        return Sent(await request.form(), several, files, labels, keep)

    async def uploaded(
        self,
        key: str,
        sent: Sent,
        name: str,
        earlier: str | None,
        endings: Iterable[str] = (),
        max_size: int = 0,
    ) -> str | None:
        """Return the path of a file for the cells: the one that was sent, else the earlier one if it is still there.

        Raises ValueError for a file that is too large (in bytes), or whose name ends otherwise.
        """
        given = [earlier] if earlier else None
        paths = await self.uploaded_all(key, sent, name, given, endings, max_size)
        if len(paths) > 1:
            raise ValueError(name)
        return paths[0] if paths else None

    async def uploaded_all(
        self,
        key: str,
        sent: Sent,
        name: str,
        earlier: list[str] | None,
        endings: Iterable[str] = (),
        max_size: int = 0,
    ) -> list[str]:
        """Return the paths of files for the cells: those that were sent, else the earlier ones that are not to go; as `uploaded`."""
        folder = self.folder(key)
        endings = tuple(endings)
        if name in sent.problems:
            return []
        if chosen := sent.files.get(name):
            return [await uploads.keep(folder, file, endings, max_size) for file in chosen]
        stay = [path for path in earlier or () if path not in sent.getlist(name + REMOVE)]
        return [path for path in stay if uploads.is_there(folder, self.files, path)]

    def chosen(self, paths: str | list[str] | None, remove: str | None = None) -> Any:
        """Return a line that names the files of an answer, which stay unless others are chosen; None without any.

        With `remove`, the name of an optional field, each of them can be taken away.
        """
        return questions.chosen_files([paths] if isinstance(paths, str) else paths or [], remove)

    def file(self, key: str, paths: str | list[str] | None) -> Any:
        """Return the names and sizes of the files of an answer."""
        listed = [paths] if isinstance(paths, str) else paths or []
        sizes = [uploads.size(self.folder(key), self.files, path) for path in listed]
        return questions.file_list(listed, sizes)
