"""Servers on 127.0.0.1 that answer as a test says, down to the byte."""

import contextlib
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

LOCAL = "127.0.0.0/8"
Say = Callable[[socket.socket, threading.Event], None]  # the connection, and what is set once the server is to end


def ok(body: bytes = b"paper", *headers: str, status: str = "200 OK", length: int | None = None) -> Say:
    """An answer with a length, which is the body's own unless another is given."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers]
    return raw("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def redirect(to: str, status: str = "302 Found") -> Say:
    return ok(b"", f"Location: {to}", status=status)


def raw(content: bytes) -> Say:
    return lambda connection, over: connection.sendall(content)


def endless(start: bytes, piece: bytes, *, pause: float) -> Say:
    """Sends a piece after every pause, until the other side goes away or the test is over."""

    def say(connection: socket.socket, over: threading.Event) -> None:
        connection.sendall(start)
        while not over.wait(pause):
            connection.sendall(piece)

    return say


class Server:
    """Answers its connections one after the other with what `answers` say, the last one again and again."""

    def __init__(self, *answers: Say, tls: ssl.SSLContext | None = None, reads: bool = True) -> None:
        self.answers = list(answers)
        self.requests: list[bytes] = []
        self.names: list[str | None] = []
        self.connections = 0
        self._tls, self._reads = tls, reads
        if tls:
            tls.sni_callback = lambda connection, name, context: self.names.append(name)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def url(self, path: str = "/", *, host: str = "127.0.0.1", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def __enter__(self) -> "Server":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(timeout=30)
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with contextlib.suppress(OSError), connection:  # a client that goes away is what many tests are about
                connection.settimeout(30)
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        if self._tls:
            connection = self._tls.wrap_socket(connection, server_side=True)
        with connection:
            if self._reads:
                self.requests.append(_request(connection))
            say = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            say(connection, self._over)
            connection.shutdown(socket.SHUT_RDWR)


def _request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += _some(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    sizes = [int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    while len(body) < sum(sizes):
        body += _some(connection)
    return head + b"\r\n\r\n" + body


def _some(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise ConnectionAbortedError("the client went away")
    return data


def certificate(folder: Path, name: str) -> tuple[Path, ssl.SSLContext]:
    """A certificate for one host name that vouches for itself: its file, and the server's side of it."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    command += ["-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return certificate, context
