"""Requests to one server, each on a connection of its own and within a time and a number of bytes. Knows httpcore2 and sockets; no chat.

Imported only where a call is made. It stands under the SDK's client, so that a server that drips bytes, headers too, is cut off in time,
no proxy, redirect or password of the environment plays a part, and only the headers named here are sent. The key is added here, last:
the SDK never holds it.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterable, Iterator
from contextvars import ContextVar

import httpcore2
import httpx2
from pydantic import SecretStr

from docpipe.deadline import Deadline, look_up
from docpipe.errors import AnswerError, OutboundError

_SENT = frozenset({b"host", b"accept", b"content-type", b"content-length", b"transfer-encoding"})
_OURS = [(b"User-Agent", b"docpipe"), (b"Accept-Encoding", b"identity")]


class Bounds(Deadline):
    """A deadline, and the bytes that may be read until then. `host` is for messages."""

    def __init__(self, host: str, *, seconds: float, largest: int) -> None:
        super().__init__(seconds, about=host, hint="raise DOCPIPE_MODEL__SECONDS")
        self.host = host
        self._unread = largest

    def count(self, size: int) -> None:
        """So many bytes were read. Raises AnswerError where they are too many."""
        self._unread -= size
        if self._unread < 0:
            raise AnswerError(f"{self.host}: the answer does not end within the bytes that it may have", hint="look at the server")


_bounds: ContextVar[Bounds] = ContextVar("docpipe_api_bounds")


@contextlib.contextmanager
def bounded(bounds: Bounds) -> Iterator[None]:
    """Everything that this thread sends and reads inside keeps to these bounds."""
    token = _bounds.set(bounds)
    try:
        yield
    finally:
        _bounds.reset(token)


class Transport(httpx2.BaseTransport):
    """What httpx2's client sends with. The header `name` with the key is added to each request."""

    def __init__(self, name: str, key: SecretStr | None, *, prefix: str = "") -> None:
        self._name, self._key, self._prefix = name, key, prefix
        # An answer takes seconds: a connection that is kept saves little, and one that the server closes meanwhile costs the next question.
        self._pool = httpcore2.ConnectionPool(
            ssl_context=httpx2.create_ssl_context(), max_connections=None, max_keepalive_connections=0, network_backend=_Network()
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """The answer, with a body that is still to be read. Raises DeadlineError, AnswerError and OutboundError."""
        url = request.url
        sent = httpcore2.Request(
            method=request.method,
            url=httpcore2.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=[*((name, value) for name, value in request.headers.raw if name.lower() in _SENT), *_OURS, *self._secret()],
            content=request.stream,
        )
        with _typed():
            answer = self._pool.handle_request(sent)
        body = _Body(answer)
        if any(name.lower() == b"content-encoding" and value.lower() != b"identity" for name, value in answer.headers):
            body.close()
            raise AnswerError(f"{_bounds.get().host}: the answer is compressed, which was not asked for", status=answer.status)
        return httpx2.Response(answer.status, headers=answer.headers, stream=body)

    def close(self) -> None:
        self._pool.close()

    def _secret(self) -> list[tuple[bytes, bytes]]:
        return [(self._name.encode(), f"{self._prefix}{self._key.get_secret_value()}".encode())] if self._key else []


class _Body(httpx2.SyncByteStream):
    """An answer's body as it comes."""

    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        with _typed():
            yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


@contextlib.contextmanager
def _typed() -> Iterator[None]:
    """What is no HTTP, or ends before its end, becomes an OutboundError."""
    try:
        yield
    except httpcore2.ProtocolError as problem:
        raise OutboundError(f"{_bounds.get().host}: {problem}") from problem


class _Network(httpcore2.NetworkBackend):
    """Connects within the bounds of the call."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        bounds = _bounds.get()
        addresses = look_up(host, port, bounds, resolve=_addresses, hint="look at DOCPIPE_MODEL__API__URL")
        for number, address in enumerate(addresses):
            try:
                # each address gets its share of the time, so that one that swallows packets does not use it up
                share = bounds.left() / (len(addresses) - number)
                return _Stream(httpcore2.SyncBackend().connect_tcp(address, port, timeout=share))
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as problem:
                failed = problem
        if isinstance(failed, httpcore2.ConnectTimeout):
            raise bounds.missed() from failed
        raise OutboundError(f"{bounds.host}: no connection: {failed}", hint="is the server up, and the address right?") from failed


def _addresses(host: str, port: int) -> list[str]:
    """What the system's resolver says, in its order."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class _Stream(httpcore2.NetworkStream):
    """A connection whose every wait ends with the call that waits."""

    def __init__(self, inner: httpcore2.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        bounds = _bounds.get()
        try:
            data = self._inner.read(max_bytes, bounds.left())
        except httpcore2.ReadTimeout:
            raise bounds.missed() from None
        except httpcore2.ReadError as problem:
            raise OutboundError(f"{bounds.host}: {problem}") from problem
        bounds.count(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        bounds, connection, rest = _bounds.get(), self._inner.get_extra_info("socket"), memoryview(buffer)
        try:
            while rest:
                connection.settimeout(bounds.left())
                rest = rest[connection.send(rest) :]
        except TimeoutError:
            raise bounds.missed() from None
        except OSError as problem:
            raise OutboundError(f"{bounds.host}: {problem.strerror or type(problem).__name__}") from problem

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        bounds = _bounds.get()
        try:
            return _Stream(self._inner.start_tls(ssl_context, server_hostname, bounds.left()))
        except httpcore2.ConnectTimeout:
            raise bounds.missed() from None
        except httpcore2.ConnectError as problem:
            raise OutboundError(f"{bounds.host}: no secure connection: {problem}") from problem

    def close(self) -> None:
        self._inner.close()

    def get_extra_info(self, info: str) -> object:
        return self._inner.get_extra_info(info)
