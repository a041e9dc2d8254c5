"""Lines that install packages: `!pip install x`, `%conda install x` and the like, read as requirements.

Only a line that does nothing but install is understood. One that is computed (`!pip install {name}`) or does something
else as well stays what it is, a shell line.
"""

import re
import shlex

from transpiler.python.libraries import words

_INSTALLERS = re.compile(
    r"(?:sudo\s+(?:-H\s+)?)?"
    r"(?:(?:\{sys\.executable\}|\"\{sys\.executable\}\"|\$?sys\.executable|python[\d.]*)\s+-m\s+pip|uv\s+pip|uv|pip[\d.]*"
    r"|(?P<conda>conda|mamba|micromamba))"
    r"(?:\s+-[-\w]+)*\s+(?:install|add)\s+(?P<rest>\S.*)"
)
_TAKES_A_VALUE = words(
    "-c --constraint -i --index-url --extra-index-url -f --find-links -t --target --prefix --root --src --timeout --retries "
    "--trusted-host --proxy --progress-bar --platform --python --python-version --only-binary --no-binary "
    "--upgrade-strategy --cache-dir --log --config-settings"
)
_CONDA_TAKES_A_VALUE = words("-c --channel -n --name -p --prefix --file")
_CONDA_PIN = re.compile(r"(?<![=<>!~])=(?![=<>])")


def requirements_of(command: str) -> tuple[str, ...]:
    """Return what a shell command installs, as pip would be given it; () when it is not only an installation."""
    packages: list[str] = []
    for part in re.split(r"&&|;", command):
        if not part.strip():
            continue
        match = _INSTALLERS.fullmatch(part.strip())
        more = _packages(match.group("rest"), bool(match.group("conda"))) if match else ()
        if not more:
            return ()
        packages += more
    return tuple(packages)


def _packages(rest: str, conda: bool) -> tuple[str, ...]:
    try:
        # what the shell does with the installer's own output is of no interest
        words = shlex.split(re.split(r"\s(?:\d?>|&>|\|)", f" {rest}")[0], comments=True)
    except ValueError:
        return ()
    takes_a_value = _CONDA_TAKES_A_VALUE if conda else _TAKES_A_VALUE
    found = []
    rest_of = iter(words)
    for word in rest_of:
        if word in ("-r", "--requirement", "-e", "--editable"):
            option = "-r" if word in ("-r", "--requirement") else "-e"
            found.append(f"{option} {next(rest_of, '')}".strip())
        elif word in takes_a_value:
            next(rest_of, None)
        elif not word.startswith("-"):
            found.append(_CONDA_PIN.sub("==", word, count=1) if conda else word)
    if any(mark in word for word in found for mark in "{}$`"):
        return ()
    return tuple(found)
