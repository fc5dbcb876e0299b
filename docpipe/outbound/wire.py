"""One HTTP/1.1 exchange over a connection to a checked address, within a deadline. Knows httpcore and sockets; follows nothing.

Imported only where a call is made. httpcore is used without httpx's client on purpose: no environment proxies, no cookies, no
credentials from a netrc file, no decompression, and no log line that holds a whole URL.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import httpcore
import httpx

from docpipe.deadline import Deadline, Resolve, look_up
from docpipe.errors import AnswerError, DeadlineError, ForbiddenAddressError, OutboundError, UsageError
from docpipe.outbound.addresses import check_addresses, check_host, literal
from docpipe.outbound.rules import Outbound

_FRAMING = 256 * 1024  # bytes of headers and chunk sizes that an answer may have beside its body
_SLICE = 64 * 1024
_SHOWN = 300  # characters of a URL in a message
_DRAINED = 4096  # bytes
_DRAIN_SECONDS = 1.0
_SLOW = "try again later, or raise the seconds that a call may take"
_PORTS = {"https": 443, "http": 80}


class Target(NamedTuple):
    """A URL that may be called, in parts; `shown` is what of it may stand in a message: no query, which may hold a secret."""

    scheme: str
    host: str
    port: int
    authority: str
    shown: str
    whole: httpx.URL


class Call:
    """One call under the rules, redirects and all: whatever it does shares one deadline."""

    def __init__(self, rules: Outbound, resolve: Resolve | None) -> None:
        """Raises UsageError where the file of certificates cannot be read."""
        self._rules = rules
        self._resolve = resolve or system_addresses
        self._deadline = Deadline(rules.seconds, hint=_SLOW)
        self._trust = _trust(rules.ca_file)

    def target(self, url: str, *, base: Target | None = None) -> Target:
        """The parts of a URL, which may be relative to `base`. Raises ForbiddenAddressError for what is not called at all."""
        try:
            whole = base.whole.join(url) if base else httpx.URL(url)
            host = check_host(whole.raw_host.decode("ascii"))
        except (httpx.InvalidURL, UnicodeError):
            raise ForbiddenAddressError("not a URL that can be called") from None  # its own text may quote a secret
        if whole.scheme != "https" and not (whole.scheme == "http" and self._rules.plain_http):
            raise ForbiddenAddressError(f"the scheme {whole.scheme[:20]!r} is not called")
        if whole.userinfo:
            raise ForbiddenAddressError("a URL with a user or a password is not called")
        port = _PORTS[whole.scheme] if whole.port is None else whole.port
        if not 0 < port < 65536:
            raise ForbiddenAddressError(f"there is no port {port}")
        name = f"[{host}]" if ":" in host else host
        authority = name if whole.port is None else f"{name}:{port}"
        shown = f"{whole.scheme}://{authority}{whole.raw_path.partition(b'?')[0].decode('ascii')}"
        return Target(whole.scheme, host, port, authority, shown[:_SHOWN], whole)

    @contextlib.contextmanager
    def exchange(
        self, method: str, target: Target, headers: Mapping[str, str], body: bytes | None = None, *, largest: int
    ) -> Iterator[httpcore.Response]:
        """Send one request on a connection of its own and yield the answer, whose body may be read inside the block.

        Raises ForbiddenAddressError, DeadlineError, AnswerError and OutboundError, for what goes wrong inside the block too.
        """
        self._deadline.about = target.shown
        backend = _Backend(self._rules.allowed, self._deadline, largest=2 * largest + _FRAMING, resolve=self._resolve)
        url = httpcore.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.whole.raw_path)
        sent = _encoded(
            {"Host": target.authority, "User-Agent": "docpipe", "Accept-Encoding": "identity", "Connection": "close", **headers}
        )
        try:
            with (
                httpcore.ConnectionPool(ssl_context=self._trust, network_backend=backend) as pool,
                pool.stream(method, url, headers=sent, content=body) as answer,
            ):
                yield answer
        except httpcore.LocalProtocolError:
            raise _unsendable() from None
        except (httpcore.NetworkError, httpcore.ProtocolError) as problem:
            raise OutboundError(f"{target.shown}: {problem}") from problem

    def drain(self, answer: httpcore.Response) -> None:
        """Take what is left of a short answer off the line, so that its sender does not see a broken connection; its trouble is its own."""
        self._deadline.shorten(_DRAIN_SECONDS)
        taken = 0
        with contextlib.suppress(httpcore.NetworkError, httpcore.ProtocolError, OutboundError, DeadlineError):
            for chunk in answer.iter_stream():
                taken += len(chunk)
                if taken >= _DRAINED:
                    return


def system_addresses(host: str, port: int) -> Sequence[str]:
    """What the system's resolver says, in its order."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    try:
        return [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers.items()]
    except UnicodeError:
        raise _unsendable() from None


def _unsendable() -> UsageError:
    """Without the header's text, which may be a secret."""
    return UsageError("a header of the request cannot be sent as it is")


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(ca_file)) if ca_file else httpx.create_ssl_context(trust_env=False)
    except OSError as problem:
        raise UsageError(f"no certificates can be read: {problem.strerror}", file=ca_file.name if ca_file else None) from problem


class _Backend(httpcore.NetworkBackend):
    """Connects to the addresses that one look-up gave and that were checked; nothing is looked up a second time."""

    def __init__(self, allowed: Sequence[str], deadline: Deadline, *, largest: int, resolve: Resolve) -> None:
        self._allowed = allowed
        self._deadline = deadline
        self._largest = largest
        self._resolve = resolve

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        addresses = check_addresses(host, self._lookup(host, port), self._allowed)
        for number, address in enumerate(addresses):
            try:
                # each address gets its share of the time, so that one that swallows packets does not use it up
                connection = socket.create_connection((address, port), self._deadline.left() / (len(addresses) - number))
            except OSError as problem:
                failed = problem
            else:
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return _Stream(connection, self._deadline, self._largest)
        if isinstance(failed, TimeoutError):
            raise self._deadline.missed() from failed
        raise OutboundError(f"{self._deadline.about}: no connection: {failed.strerror}") from failed

    def _lookup(self, host: str, port: int) -> Sequence[str]:
        if literal(host) is not None:
            return [host]
        return look_up(host, port, self._deadline, resolve=self._resolve)


class _Stream(httpcore.NetworkStream):
    """A socket whose every wait ends at the deadline, and that reads so many bytes and no more."""

    def __init__(self, connection: socket.socket, deadline: Deadline, largest: int) -> None:
        self._socket = connection
        self._deadline = deadline
        self._unread = largest

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with self._waiting(httpcore.ReadError):
            data = self._socket.recv(max_bytes)
        self._unread -= len(data)
        if self._unread < 0:
            raise AnswerError(f"{self._deadline.about}: the answer does not end within the bytes that it may have")
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        rest = memoryview(buffer)
        while rest:
            with self._waiting(httpcore.WriteError):
                rest = rest[self._socket.send(rest[:_SLICE]) :]

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            with self._waiting(httpcore.ConnectError):
                self._socket = ssl_context.wrap_socket(self._socket, server_hostname=server_hostname)
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        self._socket.close()

    @contextlib.contextmanager
    def _waiting(self, kind: type[httpcore.NetworkError]) -> Iterator[None]:
        self._socket.settimeout(self._deadline.left())
        try:
            yield
        except TimeoutError:
            raise self._deadline.missed() from None
        except OSError as problem:
            raise kind(problem.strerror or type(problem).__name__) from problem
