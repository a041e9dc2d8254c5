"""Ollama's HTTP API, as far as a conversation needs it: which models there are, and an answer as it is written.

The protocol (https://github.com/ollama/ollama/blob/main/docs/api.md): POST /api/chat answers with one JSON object a line,
the last one with `done: true`; an error is an object with `error`, before the answer (with a status) or in the midst of it.
"""

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import httpx

from pipulate_runtime.host.base.errors import (
    ANSWER_BROKEN,
    MODEL_MISSING,
    MODEL_REFUSED,
    OLLAMA_ADDRESS,
    OLLAMA_MISSING,
)
from pipulate_runtime.host.base.security import is_loopback

ADDRESS = "http://localhost:11434"
MODEL = "llama3.2"  # what is recommended, and taken if it is there; it can use tools
CONNECT = 3.0  # seconds until there is no Ollama
SILENCE = 300.0  # seconds without a word: loading a large model takes its time
LONGEST = 60_000  # characters of an answer
CONTEXT = 8192  # tokens it reads; Ollama's own default is too short for a page and a conversation


@dataclass(frozen=True, slots=True)
class Call:
    """A tool that the model wants to use. The arguments are as they came."""

    name: str
    arguments: Any


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of an answer: some text, some calls; whether it is the last one."""

    text: str = ""
    calls: tuple[Call, ...] = ()
    done: bool = False


class NoTools(Exception):
    """The model cannot use tools."""


def address_of(text: str) -> str:
    """An address in the form it is used in; raises HostError PP550."""
    try:
        parts = urlsplit(text.strip())
        valid = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        valid = None
    if not valid:
        raise OLLAMA_ADDRESS.error(text=text)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def parsed(text: str) -> Any:
    """A JSON text; halves of characters in it, which nothing could store or send, are replaced. Raises as json.loads."""
    data = json.loads(text)
    if "\\ud" not in text and "\\uD" not in text:
        return data
    return json.loads(json.dumps(data, ensure_ascii=False).encode(errors="replace"))


class Ollama:
    """A client of one server. Made without a connection; `close` ends it."""

    def __init__(self, address: str = ADDRESS, model: str | None = None) -> None:
        """With the model that was asked for, if one was; raises HostError PP550."""
        self.address = address_of(address)
        self.wanted = model

    @cached_property
    def _http(self) -> httpx.AsyncClient:
        timeout = httpx.Timeout(SILENCE, connect=CONNECT)
        # a proxy of the surroundings is for other machines, not for this one
        return httpx.AsyncClient(timeout=timeout, trust_env=not self._is_here)

    @property
    def _is_here(self) -> bool:
        return is_loopback(urlsplit(self.address).hostname or "")

    @property
    def where(self) -> str:
        """Where the model runs, in words: what is asked goes there."""
        return "on this machine" if self._is_here else f"at {urlsplit(self.address).hostname}"

    async def close(self) -> None:
        """Ends all connections."""
        if client := self.__dict__.pop("_http", None):
            await client.aclose()

    async def model(self) -> str:
        """The model to ask: the wanted one, else the recommended one, else the first. Raises HostError PP551, PP552."""
        wanted = self.wanted or MODEL
        try:
            answer = await self._http.get(f"{self.address}/api/tags", timeout=CONNECT)
            names = [str(model["name"]) for model in answer.json()["models"]]
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as error:
            raise OLLAMA_MISSING.error(url=self.address, model=wanted) from error
        found = [name for name in names if wanted in (name, name.partition(":")[0])]
        if found or (names and self.wanted is None):
            return (found or names)[0]
        raise MODEL_MISSING.error(model=wanted)

    async def chat(
        self, model: str, messages: list[dict[str, Any]], tools: list[dict[str, Any]]
    ) -> AsyncGenerator[Part, None]:
        """An answer, piece by piece. Raises HostError PP551 to PP554, and NoTools."""
        body: dict[str, Any] = {"model": model, "messages": messages, "stream": True}
        body |= {"options": {"num_ctx": CONTEXT}} | ({"tools": tools} if tools else {})
        length = 0
        async with self._asked(body) as answer:
            await self._check(answer, model, bool(tools))
            async for line in answer.aiter_lines():
                if not line.strip():
                    continue
                part = _part(line)
                length += len(part.text)
                yield part
                if part.done:
                    return
                if length > LONGEST:
                    raise ANSWER_BROKEN.error(reason="it became too long")
        raise ANSWER_BROKEN.error(reason="Ollama ended the connection")

    @asynccontextmanager
    async def _asked(self, body: dict[str, Any]) -> AsyncIterator[httpx.Response]:
        """The answer to a request; what can happen to a connection becomes words."""
        address = f"{self.address}/api/chat"
        try:
            async with self._http.stream("POST", address, json=body) as answer:
                yield answer
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise OLLAMA_MISSING.error(url=self.address, model=body["model"]) from error
        except httpx.TimeoutException as error:
            raise ANSWER_BROKEN.error(reason="Ollama was silent for too long") from error
        except httpx.HTTPError as error:
            raise ANSWER_BROKEN.error(reason="the connection to Ollama was lost") from error

    @staticmethod
    async def _check(answer: httpx.Response, model: str, with_tools: bool) -> None:
        """Raises what an answer says that is none."""
        if answer.status_code == 200:
            return
        text = (await answer.aread()).decode(errors="replace")
        try:
            reason = str(json.loads(text)["error"])
        except (ValueError, KeyError, TypeError):
            reason = f"status {answer.status_code}"
        if with_tools and "support tools" in reason:
            raise NoTools
        if answer.status_code == 404:
            raise MODEL_MISSING.error(model=model)
        raise MODEL_REFUSED.error(reason=reason[:300].rstrip("."))


def _part(line: str) -> Part:
    """Read a line of an answer. Raises HostError PP553, PP554."""
    try:
        data = parsed(line)
    except (ValueError, RecursionError) as error:
        raise ANSWER_BROKEN.error(reason="Ollama sent a line that is not JSON") from error
    if isinstance(data, dict) and "error" in data:
        raise MODEL_REFUSED.error(reason=str(data["error"])[:300].rstrip("."))
    message = data.get("message", {}) if isinstance(data, dict) else None
    if not isinstance(message, dict):
        raise ANSWER_BROKEN.error(reason="Ollama sent a line that is no part of an answer")
    text, calls = message.get("content"), message.get("tool_calls")
    return Part(
        text if isinstance(text, str) else "",
        tuple(map(_call, calls)) if isinstance(calls, list) else (),
        data.get("done") is True,
    )


def _call(data: Any) -> Call:
    match data:
        case {"function": dict(function)}:
            return Call(str(function.get("name") or ""), function.get("arguments"))
    return Call("", None)
