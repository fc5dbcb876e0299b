"""The only place from which docpipe calls an address that a user gave: a document fetched by its URL, a webhook that is posted.

Every connection, a redirect's too, goes to an address that was looked up once and checked. Knows no document, job or signature.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from docpipe.deadline import Resolve
from docpipe.errors import AnswerError, MissingError, UsageError
from docpipe.outbound import headers as said
from docpipe.outbound.rules import Outbound
from docpipe.records import Record
from docpipe.workspace import draft

if TYPE_CHECKING:
    from docpipe.outbound.wire import Call

__all__ = ["Answer", "Fetched", "Outbound", "Resolve", "fetch", "post"]

log = logging.getLogger(__name__)

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OURS = frozenset({"accept-encoding", "connection", "content-length", "expect", "host", "transfer-encoding", "upgrade"})


class Fetched(Record):
    """What was fetched: a harmless base name, the media type as the server says it, and the number of bytes."""

    name: str
    media_type: str
    bytes: int


class Answer(Record):
    """What a webhook's address answered; `retry_after` is the seconds that it asked to wait."""

    status: int
    retry_after: float | None = None


def fetch(url: str, target: Path, *, rules: Outbound, resolve: Resolve | None = None) -> Fetched:
    """Bring the document at `url` into the file `target`, whole or not at all.

    Raises ForbiddenAddressError for an address that is not called, AnswerError or OutboundError (with `status` where there is one),
    DeadlineError and TooLargeError. An answer whose end cannot be told from a cut is refused. `resolve` replaces the system's resolver.
    """
    call = _call(rules, resolve)
    at = call.target(url)
    for _ in range(rules.redirects + 1):
        with call.exchange("GET", at, {"Accept": "*/*"}, largest=rules.largest) as answer:
            headers = said.read(answer.headers)
            log.debug("GET %s: %d", at.shown, answer.status)
            if answer.status not in _REDIRECTS or "location" not in headers:
                said.check_document(answer.status, headers, largest=rules.largest, about=at.shown)
                size = _save(answer.iter_stream(), target, rules.largest, about=at.shown)
                return Fetched(name=said.file_name(headers, at.whole.path), media_type=said.media_type(headers), bytes=size)
        at = call.target(headers["location"], base=at)
    raise AnswerError(f"{at.shown}: reached by more than {rules.redirects} redirects, and not called")


def post(url: str, body: bytes, headers: Mapping[str, str], *, rules: Outbound, resolve: Resolve | None = None) -> Answer:
    """Post `body` once and return how it was answered, whatever the status; a redirect is an answer and is not followed.

    Of the answer's own body a few kB are taken off the line and dropped. Raises ForbiddenAddressError for an address that is not called,
    OutboundError and DeadlineError where no answer came; the body may have arrived all the same. UsageError: headers that cannot be sent.
    """
    if taken := _OURS & {name.lower() for name in headers}:
        raise UsageError(f"not the caller's headers to set: {', '.join(sorted(taken))}")
    call = _call(rules, resolve)
    at = call.target(url)
    with call.exchange("POST", at, headers, body, largest=0) as response:
        answer = Answer(status=response.status, retry_after=said.retry_after(said.read(response.headers)))
        log.debug("POST %s: %d", at.shown, answer.status)
        call.drain(response)
    return answer


def _call(rules: Outbound, resolve: Resolve | None) -> Call:
    """The part that knows the network, loaded when a call is made."""
    try:
        from docpipe.outbound.wire import Call
    except ModuleNotFoundError as problem:
        raise MissingError("calling an address needs httpx", hint="pip install 'docpipe[queue]'") from problem
    return Call(rules, resolve)


def _save(chunks: Iterable[bytes], target: Path, largest: int, *, about: str) -> int:
    """Write the chunks into the file, whole or not at all; returns their bytes. Raises TooLargeError."""
    size = 0
    with draft(target) as file:
        for chunk in chunks:
            size += len(chunk)
            if size > largest:
                raise said.too_large(largest, about)
            file.write(chunk)
    return size
