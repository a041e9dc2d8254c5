"""What stands in the files that `make lock` writes, and which of it an environment has otherwise (`make latest`)."""

import re
from dataclasses import dataclass
from importlib.metadata import distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LOCKS = ROOT / "requirements"
_ENTRY = re.compile(r"^(?P<wanted>[^\s#-][^\\\n]*?)(?P<hashes>(?: \\\n    --hash=\S+)*)$", re.MULTILINE)  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """One version of a package, for the Pythons and systems that its marker names."""

    name: str
    version: str
    wanted: Requirement
    hashes: tuple[str, ...]

    def fits(self, environment: dict[str, str] | None = None) -> bool:
        """Whether it is for this Python and system, or those of `environment`."""
        return self.wanted.marker is None or self.wanted.marker.evaluate(environment)


def entries(file: str) -> list[Entry]:
    """Return what a lock names. Raises ValueError for a line that gives no single version."""
    found = []
    for match in _ENTRY.finditer((LOCKS / file).read_text(encoding="utf-8")):
        wanted = Requirement(match["wanted"])
        versions = re.fullmatch(r"==([^*]+)", str(wanted.specifier))
        if versions is None:
            raise ValueError(f"{file}: {match['wanted']} is not one version")
        hashes = tuple(re.findall(r"--hash=(\S+)", match["hashes"]))
        found.append(Entry(canonicalize_name(wanted.name), versions[1], wanted, hashes))
    return found


def moved(locked: dict[str, str], installed: dict[str, str]) -> list[tuple[str, str, str]]:
    """Return name, locked version and installed version of each package that differs; `-` for none."""
    names = sorted(locked.keys() | installed.keys())
    both = [(name, locked.get(name, "-"), installed.get(name, "-")) for name in names]
    return [row for row in both if row[1] != row[2]]


def main() -> None:
    """Print what this environment has otherwise than the lock."""
    locked = {entry.name: entry.version for entry in entries("dev.txt") if entry.fits()}
    installed = {canonicalize_name(one.metadata["Name"]): one.version for one in distributions()}
    for name in ("pip", "setuptools", "pipulate-transpiler"):
        installed.pop(name, None)
    rows = moved(locked, installed)
    print(f"Moved since `make lock`: {len(rows)} of {len(installed)} packages")
    for name, old, new in rows:
        print(f"  {name} {old} -> {new}")


if __name__ == "__main__":
    main()
