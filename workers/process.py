"""What a worker's process holds: its name, the ledger, the store, the steps, and a thread that keeps its claims. Knows no Celery."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
from collections.abc import Callable
from functools import lru_cache

from pydantic import SecretStr

from docpipe.allowed import Allowed
from docpipe.backends import ModelOptions, backend_class
from docpipe.delivery import Delivery
from docpipe.ledger import Lane, Ledger, Terms, open_ledger, renew
from docpipe.ledger.dispatch import HINT_LEASE
from docpipe.outbound import Outbound
from docpipe.settings import Settings, read_settings, sends_traces
from docpipe.steps import Steps, end_at_once
from docpipe.store import Store
from docpipe.telemetry import start_tracing
from docpipe.webhook import Secret

ALIVE = 5.0  # seconds between two words of being alive
# Seconds that an item waits for a ledger that is away, so that no hint and no work is lost for it; as long as a hint may wait.
PATIENCE = HINT_LEASE
log = logging.getLogger(__name__)


class Every(threading.Thread):
    """Calls `action` now and then every so many seconds, and `last` once it is stopped, until the process ends; what they raise is logged
    and does not end it."""

    def __init__(self, seconds: float, action: Callable[[], object], *, name: str, last: Callable[[], object] = lambda: None) -> None:
        super().__init__(name=name, daemon=True)
        self._seconds = seconds
        self._action = action
        self._last = last
        self._stopped = threading.Event()

    def run(self) -> None:
        while not self._stopped.is_set():
            self._call(self._action)
            self._stopped.wait(self._seconds)
        self._call(self._last)

    def stop(self) -> None:
        """Call `action` no more."""
        self._stopped.set()

    def _call(self, action: Callable[[], object]) -> None:
        try:
            action()
        except Exception:
            log.exception("%s", self.name)


def host() -> str:
    """What the names of this machine's processes begin with; a container is a machine."""
    return f"{socket.gethostname()[:64]}:"


def new_owner() -> str:
    """A name for a process that no other one ever has."""
    return f"{host()}{os.getpid()}:{secrets.token_hex(4)}"


@lru_cache(maxsize=1)
def ledger() -> Ledger:
    """The main process's ledger, and that of whoever only looks."""
    return open_ledger(read_settings().ledger)


def make_steps(settings: Settings, book: Ledger, *, on_hang: Callable[[], None] = end_at_once) -> Steps:
    """The steps as these settings have them."""
    secrets = [Secret(secret.get_secret_value()) for secret in settings.webhook_secrets]
    rules = Outbound(allowed=settings.outbound_allowed, plain_http=settings.outbound_http)
    return Steps(
        book,
        Store(settings.store),
        allowed=Allowed(packages=settings.packages, folder=settings.plugins),
        delivery=Delivery(secrets=secrets, rules=rules),
        cache=settings.cache,
        model=make_model(settings),
        checkpoints=settings.checkpoints,
        terms=make_terms(settings),
        on_hang=on_hang,
    )


def make_model(settings: Settings) -> ModelOptions:
    """Which model is asked; all workers share its limits through the broker's Redis, unless the settings name another."""
    model = settings.model
    if model.api.shared is not None:
        return model
    return model.model_copy(update={"api": model.api.model_copy(update={"shared": SecretStr(settings.broker)})})


def closed_lanes(settings: Settings) -> Callable[[], frozenset[Lane]]:
    """Tells which lanes need no work just now: that of the settings' backend, while its model is known to be away."""
    kind = backend_class(settings.backend)
    is_open = kind.circuit(make_model(settings))
    return lambda: frozenset({kind.lane}) if is_open() else frozenset()


def make_terms(settings: Settings) -> Terms:
    """For how long a claim lasts, and how often an item may fail."""
    return Terms(lease=settings.lease)


class Hands:
    """The steps under a name of their own; the claims that are made under it are kept while the process lives."""

    def __init__(self, on_hang: Callable[[], None]) -> None:
        self.owner = new_owner()
        if sends_traces():
            start_tracing()
        settings = read_settings()
        terms, book = make_terms(settings), open_ledger(settings.ledger, patience=PATIENCE)
        self.steps = make_steps(settings, book, on_hang=on_hang)
        Every(terms.lease / 4, lambda: renew(book, self.owner, terms=terms), name="keep claims").start()


_hands: dict[int, Hands] = {}
_lock = threading.Lock()


def hands(on_hang: Callable[[], None] = end_at_once) -> Hands:
    """This process's, made at its first item: threads do not survive the fork that a pool's children come from. `on_hang` as in Steps."""
    with _lock:
        if os.getpid() not in _hands:
            _hands[os.getpid()] = Hands(on_hang)
        return _hands[os.getpid()]
