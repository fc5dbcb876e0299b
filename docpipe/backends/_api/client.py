"""One server's chat completions through the official SDK: a request goes out, the pieces of the answer come back. No try is repeated here:
who waits decides.

Knows where the server is and what may be read; no question and no answer.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from docpipe.backends import ApiOptions
from docpipe.backends._api.errors import Complained, complaint
from docpipe.backends._api.library import openai
from docpipe.backends._api.stream import pieces
from docpipe.errors import OutboundError, UsageError

OPENAI = "https://api.openai.com/v1"
# Hosts whose servers take no more of JSON Schema than OpenAI does, and count an answer's tokens as OpenAI does.
_OPENAI_HOSTS = (
    "api.openai.com",
    ".api.openai.com",
    ".openai.azure.com",
    ".cognitiveservices.azure.com",
    ".services.ai.azure.com",
    "openrouter.ai",
)
_OUTSIDE = "set at the wire"  # the SDK wants a key; what it would send of it is not sent


class Server:
    """Where requests go. Opens no connection yet."""

    def __init__(self, options: ApiOptions) -> None:
        """Raises UsageError where no server can be meant."""
        self._options = options
        if not options.url and not self.secret:
            raise UsageError(
                "no server is named", hint="DOCPIPE_MODEL__API__URL for one of your own, or DOCPIPE_MODEL__API__KEY for OpenAI's"
            )
        if not all("!" <= sign <= "~" for sign in self.secret):
            raise UsageError(
                "the key has a character that keys do not have", hint="look for a space or a line's end in DOCPIPE_MODEL__API__KEY"
            )
        self.url = options.url or OPENAI
        self.host = _host(self.url)
        self._lock = threading.Lock()
        self._made: Any = None

    @property
    def secret(self) -> str:
        """The key, to be kept out of messages; empty where there is none."""
        return self._options.key.get_secret_value() if self._options.key else ""

    @property
    def is_openai(self) -> bool:
        """Whether it is to be spoken to as OpenAI's own server."""
        if self._options.dialect != "auto":
            return self._options.dialect == "openai"
        return bool(self._options.version) or any(
            self.host == name or (self.host.endswith(name) and name[0] == ".") for name in _OPENAI_HOSTS
        )

    @contextlib.contextmanager
    def ask(self, request: Mapping[str, Any], *, seconds: float, largest: int) -> Iterator[Iterator[bytes]]:
        """Post the request and yield the pieces of the answer, each a JSON text. The connection is closed where not all are read.

        Raises Complained, DeadlineError after `seconds` for all of it, AnswerError where it has more than `largest` bytes or is of another
        type, OutboundError and MissingError; inside the block too.
        """
        fields = {"model": request["model"], "messages": request["messages"]}
        more = {name: value for name, value in request.items() if name not in fields}
        with (
            self.calling(seconds=seconds, largest=largest) as client,
            client.chat.completions.with_streaming_response.create(**fields, stream=True, extra_body=more) as answer,
        ):
            yield pieces(answer.headers, answer.iter_bytes(), host=self.host)

    @contextlib.contextmanager
    def calling(self, *, seconds: float, largest: int) -> Iterator[Any]:
        """The SDK's client, for one call that is made inside the block and keeps to these bounds. Raises as `ask` does."""
        library, client = openai(), self._client()
        from docpipe.backends._api.wire import Bounds, bounded

        try:
            with bounded(Bounds(self.host, seconds=seconds, largest=largest)):
                yield client
        except library.APIStatusError as problem:
            raise Complained(complaint(problem.body, status=problem.status_code, headers=problem.response.headers)) from None
        except library.APIConnectionError as problem:
            raise OutboundError(f"{self.host}: {type(problem.__cause__ or problem).__name__}") from None

    def get_ready(self) -> None:
        """What takes long once is done: the SDK is imported, a second, and its client made. Raises MissingError."""
        self._client()

    def close(self) -> None:
        """Close the connections; a later request opens new ones."""
        with self._lock:
            made, self._made = self._made, None
        if made is not None:
            made.close()

    def _client(self) -> Any:
        with self._lock:
            self._made = self._made or self._make()
            return self._made

    def _make(self) -> Any:
        library = openai()
        import httpx2

        from docpipe.backends._api.wire import Transport

        azure = bool(self._options.version)
        key = self._options.key if self.secret else None
        transport = Transport("api-key" if azure else "Authorization", key, prefix="" if azure else "Bearer ")
        how = {"api_key": _OUTSIDE, "max_retries": 0, "timeout": None}
        how["http_client"] = httpx2.Client(transport=transport, trust_env=False, follow_redirects=False, timeout=None)
        if azure:
            return library.AzureOpenAI(azure_endpoint=self.url, api_version=self._options.version, **how)
        return library.OpenAI(base_url=self.url, **how)


def _host(url: str) -> str:
    """The host of a server's address. Raises UsageError, without the address, which may hold a password."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port  # one that is no number is found out here
    except ValueError:
        parts, host = urlsplit(""), ""
    if parts.scheme not in ("http", "https") or not host or parts.username or parts.query or parts.fragment:
        raise UsageError(
            "DOCPIPE_MODEL__API__URL is no address of a server", hint="such as http://127.0.0.1:8000/v1; keys have a variable of their own"
        )
    return host
