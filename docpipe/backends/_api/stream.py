"""Bytes of an answer -> its pieces, each a JSON text: the data of server-sent events, or a body that is one JSON whole.

https://html.spec.whatwg.org/multipage/server-sent-events.html, of which these servers use one line of data an event.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from docpipe.errors import AnswerError

EVENTS, WHOLE = "text/event-stream", "application/json"
_END = b"[DONE]"


def pieces(headers: Mapping[str, str], chunks: Iterable[bytes], *, host: str) -> Iterator[bytes]:
    """The pieces in order. Raises AnswerError where the body is of another type, such as a page for people."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == EVENTS:
        return _events(chunks)
    if kind == WHOLE:
        return iter([b"".join(chunks)])
    raise AnswerError(f"{host}: answered with {kind[:60] or 'no type'}, not with events or JSON", hint="look at DOCPIPE_MODEL__API__URL")


def _events(chunks: Iterable[bytes]) -> Iterator[bytes]:
    for line in _lines(chunks):
        name, _, data = line.partition(b":")  # a line without a name is a comment
        if name != b"data":
            continue
        if data.strip() == _END:
            return
        if data.strip():
            yield data


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Split at line feeds alone: a text may have other line separators. A carriage return before one is white space to JSON."""
    rest: list[bytes] = []
    for chunk in chunks:
        first, *others = chunk.split(b"\n")
        rest.append(first)
        for other in others:
            yield b"".join(rest)
            rest = [other]
    yield b"".join(rest)
