"""A question as a row of a batch's file, and what a batch said of it as an answer. Knows no file and no server.

https://platform.openai.com/docs/guides/batch
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from docpipe.backends._api.errors import Complained, complaint
from docpipe.backends._api.spool import Said

HALF = Decimal("0.5")  # of the price is what a batch costs
ASK_AGAIN = 6 * 3600.0  # seconds; who waits is called as soon as a batch is over
_CANCELLED = "batch_cancelled"
_LIVE = {"stream", "stream_options"}  # fields of a request that is listened to


def endpoint(*, azure: bool) -> str:
    """What the rows of a batch are sent to."""
    return "/chat/completions" if azure else "/v1/chat/completions"


def row(key: str, fields: Mapping[str, Any], *, azure: bool) -> bytes:
    """The line of a file of requests."""
    body = {name: value for name, value in fields.items() if name not in _LIVE}
    return json.dumps({"custom_id": key, "method": "POST", "url": endpoint(azure=azure), "body": body}).encode()


@contextlib.contextmanager
def pieces_of(said: Said) -> Iterator[Iterator[bytes]]:
    """An answer as the pieces of one that was listened to. Raises Complained for anything else."""
    if said.status != 200:
        raise problem_of(said)
    yield iter([json.dumps(said.body).encode()])


def problem_of(said: Said) -> Complained:
    """What was said of a question instead of an answer."""
    return Complained(complaint(said.body.get("error", said.body), status=said.status or None))


def was_cancelled(said: Said) -> bool:
    """Somebody stopped the batch before it came to the question."""
    return problem_of(said).complaint.code == _CANCELLED


def without_answer(status: str) -> Said:
    """What is to be said of a question that a batch in its end does not speak of."""
    return Said(status=0, body={"error": {"code": f"batch_{status}", "message": f"the batch is {status}, without an answer"}})
