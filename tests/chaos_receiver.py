"""A receiver of webhooks on this machine that fails now and then, and always at an event's first attempt only. Knows no queue."""

import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from chaos_check import Heard
from serving import serving

from docpipe.errors import SignatureError
from docpipe.webhook import Receiver, Secret, SeenFile, SeenInMemory

# How an event's first attempt is answered. The last of them breaks off after the work, so that the next attempt is one seen before.
ANSWERS = ("well", "well", "500", "hang up", "hang up late")


class Hooks:
    """Receivers at `/file` and `/memory` of one address; what they acted on is in `heard`, how they answered in `answers`."""

    def __init__(self, folder: Path, *, secret: str, seed: int) -> None:
        secrets = [Secret(secret)]
        self.receivers = {
            "/file": Receiver(secrets, seen=SeenFile(folder / "seen.sqlite")),
            "/memory": Receiver(secrets, seen=SeenInMemory()),
        }
        self.heard: list[Heard] = []
        self.answers: Counter[str] = Counter()
        self._begun: set[str] = set()
        self._random = random.Random(seed)
        # Two attempts at the same time both come through a Receiver; one after the other they do not.
        self._lock = threading.Lock()

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> str:
        """One of ANSWERS, `seen before` or `401`; the event's work is done when this returns, unless it fails before."""
        with self._lock:
            how = self._answer(self.receivers[path], headers, body)
            self.answers[how] += 1
            return how

    def _answer(self, receiver: Receiver, headers: dict[str, str], body: bytes) -> str:
        try:
            event = receiver.receive(headers, body)
        except SignatureError:
            return "401"
        if event is None:
            return "seen before"
        how = "well" if event.id in self._begun else self._random.choice(ANSWERS)
        self._begun.add(event.id)
        if how in ("well", "hang up late"):
            data = event.data()["data"]
            self.heard.append(Heard(id=event.id, job=data["job"], status=data["status"]))
            receiver.done(event)
        return how


@contextmanager
def listening(hooks: Hooks) -> Iterator[str]:
    """The address at which they listen, without a path."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            how = hooks.answer(self.path, dict(self.headers.items()), body)
            self.close_connection = True
            if not how.startswith("hang up"):
                self.send_response({"500": 500, "401": 401}.get(how, 204))
                self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as server:
        yield f"http://127.0.0.1:{server.server_port}"
