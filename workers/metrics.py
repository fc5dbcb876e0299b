"""What Prometheus is told: the ledger's figures and the broker's messages at the moment it asks, and what the dispatcher found lost. Keeps
nothing of its own, and knows no step."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from itertools import product
from typing import Generic, TypeVar, get_args

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from docpipe.errors import SettingsError
from docpipe.ledger import Figures, Ledger, figures
from docpipe.ledger.tables import KINDS, LANES, UNDONE, UNFINISHED, Lane
from docpipe.records import Status
from workers.broker import Broker
from workers.dispatcher import Dispatcher

PATIENCE = 4.0  # seconds that ledger and broker have to answer; Prometheus waits for 10
STATUSES = (*get_args(Status), "cancelled")

T = TypeVar("T")
log = logging.getLogger(__name__)


class Look(Generic[T]):
    """Asks what may not answer for long, in a thread that is left behind then: a frozen server keeps one thread, not one a scrape."""

    def __init__(self, ask: Callable[[], T]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._asked: Future[T] | None = None

    def begin(self) -> Future[T]:
        """Ask, unless somebody's question is still open: its answer is everybody's."""
        with self._lock:
            if self._asked is None or self._asked.done():
                self._asked = Future()
                threading.Thread(target=self._answer, args=(self._asked,), name="metrics", daemon=True).start()
            return self._asked

    def _answer(self, asked: Future[T]) -> None:
        try:
            asked.set_result(self._ask())
        except Exception as problem:
            asked.set_exception(problem)


def answer_of(asked: Future[T], *, until: float) -> T | None:
    """The answer; None where there is none in time, or an error instead. `until` is on the monotonic clock."""
    try:
        return asked.result(max(0.0, until - time.monotonic()))
    except Exception as problem:
        log.warning("no metrics: %s", type(problem).__name__)
        return None


class Metrics(Collector):
    """The metrics of one queue, read when they are asked for. docs/operations.md lists them."""

    def __init__(self, ledger: Ledger, broker: Broker, dispatcher: Dispatcher) -> None:
        self._ledger = Look(lambda: figures(ledger))
        self._broker = Look(lambda: (broker.lengths(), broker.held()))
        self._dispatcher = dispatcher

    def collect(self) -> Iterator[Metric]:
        """Every metric; those of a part that does not answer in time are missing. Raises nothing."""
        until, ledger, broker = time.monotonic() + PATIENCE, self._ledger.begin(), self._broker.begin()
        told, messages = answer_of(ledger, until=until), answer_of(broker, until=until)
        answers = {("ledger",): told is not None, ("broker",): messages is not None}
        yield _gauge("up", "Whether the part answers", ("part",), answers.items())
        yield from _of_ledger(told) if told else ()
        yield from _of_broker(*messages) if messages else ()
        yield from _of_dispatcher(self._dispatcher.lost)


def serve(address: str, collector: Collector) -> None:
    """Answer Prometheus at HOST:PORT until the process ends. Raises SettingsError where nobody can listen there."""
    registry = CollectorRegistry()
    registry.register(collector)
    host, _, port = address.rpartition(":")
    try:
        start_http_server(int(port), host.strip("[]"), registry)
    except (OSError, OverflowError) as problem:
        raise SettingsError(f"DOCPIPE_METRICS: {address}: {problem}", hint="name an address of this machine and a free port") from problem


def _of_ledger(told: Figures) -> Iterator[Metric]:
    items = {**dict.fromkeys(product(KINDS, (*UNDONE, "quarantined")), 0), **told.items}
    yield _gauge("items", "Items that are not done, by kind and state", ("kind", "state"), items.items())
    yield _gauge("jobs", "Jobs that have not ended, by state", ("state",), _each(UNFINISHED, told.jobs))
    yield _gauge("oldest_due_seconds", "How long the oldest due item has waited", ("lane",), _each(LANES, told.waited))
    yield _gauge("slots", "Items that live workers do at a time", ("lane",), _each(LANES, told.slots))
    yield _gauge("given_up", "Items that were given up, by kind and error code", ("kind", "code"), told.given_up.items())
    yield _gauge("jobs_ended_10m", "Jobs that ended in the last ten minutes, by status", ("status",), _each(STATUSES, told.ended))


def _of_broker(waiting: Mapping[Lane, int], held: int) -> Iterator[Metric]:
    yield _gauge("messages_waiting", "Messages that no worker has taken yet", ("lane",), _each(LANES, waiting))
    yield _gauge("messages_held", "Messages that workers have taken and not acknowledged", (), [((), held)])


def _of_dispatcher(lost: Mapping[str, int]) -> Iterator[Metric]:
    yield _counter("claims_lost", "Claims that ran out: their worker died, froze or took too long", lost["claims"])
    yield _counter("hints_lost", "Items that were handed out again, as their messages were lost", lost["hints"])
    yield _counter("jobs_overdue", "Jobs whose time was over", lost["jobs"])
    yield _counter("broker_memories_lost", "Times that the broker had forgotten everything, or was new", lost["memories"])


def _each(labels: Iterable[T], values: Mapping[T, float]) -> list[tuple[tuple[str], float]]:
    """A value for each label, 0 where there is none: a metric that comes and goes cannot be told from a part that is silent."""
    return [((str(label),), values.get(label, 0)) for label in labels]


def _gauge(name: str, help: str, labels: tuple[str, ...], values: Iterable[tuple[tuple[str, ...], float]]) -> Metric:
    made = GaugeMetricFamily(f"docpipe_{name}", help, labels=labels)
    for at, value in values:
        made.add_metric(at, value)
    return made


def _counter(name: str, help: str, value: int) -> Metric:
    return CounterMetricFamily(f"docpipe_{name}", help, value)
