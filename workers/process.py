"""What a worker's process holds: its name, the ledger, the store, the steps, and a thread that keeps its claims. Knows no Celery."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
from collections.abc import Callable
from functools import lru_cache

from docpipe.allowed import Allowed
from docpipe.delivery import Delivery
from docpipe.ledger import Ledger, Terms, open_ledger, renew
from docpipe.outbound import Outbound
from docpipe.settings import Settings, read_settings, sends_traces
from docpipe.steps import Steps
from docpipe.store import Store
from docpipe.telemetry import start_tracing
from docpipe.webhook import Secret

ALIVE = 5.0  # seconds between two words of being alive
log = logging.getLogger(__name__)


class Every(threading.Thread):
    """Calls `action` now and then every so many seconds until the process ends; what it raises is logged and does not end it."""

    def __init__(self, seconds: float, action: Callable[[], object], *, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._seconds = seconds
        self._action = action
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._action()
            except Exception:
                log.exception("%s", self.name)
            self._stopped.wait(self._seconds)

    def stop(self) -> None:
        """Call it no more."""
        self._stopped.set()


def host() -> str:
    """What the names of this machine's processes begin with; a container is a machine."""
    return f"{socket.gethostname()[:64]}:"


def new_owner() -> str:
    """A name for a process that no other one ever has."""
    return f"{host()}{os.getpid()}:{secrets.token_hex(4)}"


@lru_cache(maxsize=1)
def ledger() -> Ledger:
    """This process's ledger, a forked child's too: it makes its own connections."""
    return open_ledger(read_settings().ledger)


def make_steps(settings: Settings, book: Ledger) -> Steps:
    """The steps as these settings have them."""
    secrets = [Secret(secret.get_secret_value()) for secret in settings.webhook_secrets]
    rules = Outbound(allowed=settings.outbound_allowed, plain_http=settings.outbound_http)
    return Steps(
        book,
        Store(settings.store),
        allowed=Allowed(packages=settings.packages, folder=settings.plugins),
        delivery=Delivery(secrets=secrets, rules=rules),
        cache=settings.cache,
        terms=make_terms(settings),
    )


def make_terms(settings: Settings) -> Terms:
    """For how long a claim lasts, and how often an item may fail."""
    return Terms(lease=settings.lease)


class Hands:
    """The steps under a name of their own; the claims that are made under it are kept while the process lives."""

    def __init__(self) -> None:
        self.owner = new_owner()
        if sends_traces():
            start_tracing()
        settings = read_settings()
        terms = make_terms(settings)
        self.steps = make_steps(settings, ledger())
        Every(terms.lease / 4, lambda: renew(ledger(), self.owner, terms=terms), name="keep claims").start()


_hands: dict[int, Hands] = {}
_lock = threading.Lock()


def hands() -> Hands:
    """This process's, made at its first item: threads do not survive the fork that a pool's children come from."""
    with _lock:
        if os.getpid() not in _hands:
            _hands[os.getpid()] = Hands()
        return _hands[os.getpid()]
