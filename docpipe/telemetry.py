"""What a process tells of its work while it works: fields for its log lines, spans for OpenTelemetry. Knows no step and no document.

Spans are made where something in the process has loaded OpenTelemetry: `start_tracing`, or an application that submits. Elsewhere it is not
imported. No text of a document and no file's name belongs into a field.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import sys
import threading
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from docpipe.errors import DocpipeError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

LAST = 3.0  # seconds that a process which ends may take to send its last spans
_NOTHING: Mapping[str, Any] = MappingProxyType({})
_fields: ContextVar[Mapping[str, Any]] = ContextVar("docpipe.telemetry", default=_NOTHING)
_sending: list[_Sending] = []
log = logging.getLogger(__name__)


def about() -> Mapping[str, Any]:
    """The fields of what this thread is doing; empty where that is nothing in particular."""
    return _fields.get()


@contextlib.contextmanager
def doing(name: str, fields: Mapping[str, Any], *, role: Literal["PRODUCER", "CONSUMER"], parent: str | None = None) -> Iterator[None]:
    """Inside, this thread's log lines and its span carry the fields. `parent` is a W3C traceparent. What is raised makes the span an error,
    without its words, which may quote a document."""
    before = _fields.set(fields)
    try:
        with _span(f"docpipe {name}", fields, role, parent):
            yield
    finally:
        _fields.reset(before)


def tell(**fields: Any) -> None:
    """More fields for the span of what this thread is doing, once they are known."""
    if trace := _loaded():
        trace.get_current_span().set_attributes(_attributes(fields))


def failed(code: str) -> None:
    """What this thread is doing came to an error of this code."""
    if trace := _loaded():
        trace.get_current_span().set_attribute("error.type", code)
        trace.get_current_span().set_status(trace.StatusCode.ERROR, code)


def traceparent() -> str | None:
    """The W3C traceparent of what this thread is doing; None where nobody traces."""
    if not _loaded():
        return None
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    headers: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(headers)
    return headers.get("traceparent")


def start_tracing() -> None:
    """Send this process's spans to where OpenTelemetry's own OTEL_ variables say, by HTTP. Called in the process that makes them: a child
    made by a fork has no thread that sends."""
    try:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ModuleNotFoundError as problem:
        log.warning("traces are not sent: %s is not installed; pip install 'docpipe[otel]'", problem.name)
        return
    resource = Resource.create({"service.name": "docpipe"}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    _sending.append(_Sending(provider))
    atexit.register(stop_tracing)  # now, not at import: what is registered last is called first, and a command's own end comes after it


def stop_tracing() -> None:
    """Send the last spans of this process, if that takes no longer than `LAST` seconds; those that come later are lost."""
    while _sending:
        _sending.pop().end()


class _Sending:
    """Ends a provider in a thread that runs already: none can be started once the interpreter ends, and the provider's own way of ending
    waits half a minute for a receiver that does not answer."""

    def __init__(self, provider: TracerProvider) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._end, args=(provider,), name="last spans", daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._over.set()
        self._thread.join(LAST)

    def _end(self, provider: TracerProvider) -> None:
        self._over.wait()
        provider.shutdown()


def _loaded() -> Any:
    """OpenTelemetry's module, where somebody has imported it: it is not worth importing to find out that nobody listens."""
    return sys.modules.get("opentelemetry.trace")


@contextlib.contextmanager
def _span(name: str, fields: Mapping[str, Any], role: str, parent: str | None) -> Iterator[None]:
    if not (trace := _loaded()):
        yield
        return
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    context = TraceContextTextMapPropagator().extract({"traceparent": parent}) if parent else None
    wishes = {"kind": trace.SpanKind[role], "attributes": _attributes(fields), "record_exception": False, "set_status_on_exception": False}
    with trace.get_tracer("docpipe").start_as_current_span(name, context, **wishes):
        try:
            yield
        except BaseException as problem:
            failed(problem.code if isinstance(problem, DocpipeError) else type(problem).__name__)
            raise


def _attributes(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A span has no attribute without a value."""
    return {f"docpipe.{name}": value for name, value in fields.items() if value is not None}
