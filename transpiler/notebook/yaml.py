"""YAML as options have it: plain values only, read as YAML 1.2 reads them (`12:30`, `yes` and `2024-05-01` are text)."""

import math
import re
from functools import cache
from typing import Any, ClassVar

from transpiler.model.ir import JSON

_AT_MOST = 10_000  # Values in one option. Aliases let a few lines of YAML stand for billions.


_UNSIGNED = r"(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)"


@cache
def _loader() -> type[Any]:
    import yaml  # type: ignore[import-untyped]

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        """Resolves what YAML 1.2's core schema resolves, and nothing else."""

        yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}

    for tag, pattern, first in (
        ("null", r"~|null|Null|NULL|", [*"~nN", ""]),
        ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
        ("int", r"[-+]?[0-9]+|0x[0-9a-fA-F]+", list("-+0123456789")),
        ("float", rf"[-+]?{_UNSIGNED}(?:[eE][-+]?[0-9]+)?", list("-+.0123456789")),
    ):
        whole = re.compile(f"(?:{pattern})$")
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", whole, first)
    # YAML 1.1 takes 010 for eight
    Loader.add_constructor("tag:yaml.org,2002:int", _integer)
    Loader.add_constructor("tag:yaml.org,2002:float", _float)
    return Loader


def _integer(loader: Any, node: Any) -> int:
    text = str(loader.construct_scalar(node))
    return int(text, 16) if text.startswith("0x") else int(text)


def _float(loader: Any, node: Any) -> float:
    return float(str(loader.construct_scalar(node)))


def load(text: str) -> JSON:
    """Return the value of a YAML text. Raises ValueError, with the reason in a few words."""
    import yaml

    try:
        return _plain(yaml.load(text, Loader=_loader()), [_AT_MOST])  # a SafeLoader
    except yaml.MarkedYAMLError as error:
        raise ValueError(error.problem or error.context or "it is not YAML") from None
    except yaml.YAMLError:
        raise ValueError("it holds a character that YAML does not allow") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        # wrong content under a tag such as !!timestamp
        raise ValueError(str(error)) from None


def _plain(value: Any, left: list[int]) -> JSON:
    left[0] -= 1
    if left[0] < 0:
        raise ValueError("it holds too many values")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is not a number")
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list):
        return [_plain(item, left) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item, left) for key, item in value.items()}
    raise ValueError(f"it holds a {type(value).__name__}")
