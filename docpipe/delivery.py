"""Telling a webhook that a job has its outcome: at least once, under an id that stays the same. Knows no queue.

A crash between the receiver's 2xx and our own commit repeats the call; the receiver drops what it has seen (`docpipe.webhook.Receiver`).
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from docpipe.errors import DocpipeError, ForbiddenAddressError, SettingsError
from docpipe.ledger import JobView, Work
from docpipe.outbound import Answer, Outbound, post
from docpipe.store import Store
from docpipe.telemetry import traceparent
from docpipe.webhook import Secret, event_id, sign, verdict, wait_before

LARGEST = 1024 * 1024  # bytes of a result that goes along; a larger one is fetched by its job
DEAD = "dead"
Post = Callable[..., Answer]


class Told(NamedTuple):
    """How it went: delivered (no code), to be tried `again` in so many seconds, or given up."""

    code: str = ""
    message: str = ""
    again: float | None = None


class Delivery:
    """Calls webhooks, signed with every one of `secrets`, so that the receiver can change from one to the next."""

    def __init__(self, *, secrets: Sequence[Secret] = (), rules: Outbound | None = None) -> None:
        self._secrets = secrets
        self._rules = rules or Outbound()
        self._random = random.Random()

    def send(self, item: Work, job: JobView, store: Store) -> Told:
        """One try. Raises SettingsError where nothing can be signed."""
        if not self._secrets:
            raise SettingsError("a webhook cannot be signed", hint="set DOCPIPE_WEBHOOK_SECRETS on the workers that deliver")
        body = message(job, store)
        kind = f"document.{job.status}"
        known = event_id(job.id, kind, job.result_sha256 or job.error_code or "")
        headers = {"content-type": "application/json", **sign(body, id=known, timestamp=int(time.time()), secrets=self._secrets)}
        if trace := traceparent() or item.traceparent:
            headers["traceparent"] = trace
        try:
            answer = post(item.spec.webhook or "", body, headers, rules=self._rules)
        except ForbiddenAddressError as problem:
            return Told(problem.code, problem.message)
        except DocpipeError as problem:
            return self._again(item, problem.code, problem.message)
        said = verdict(answer.status)
        if said == "delivered":
            return Told()
        if said == "dead":
            return Told(DEAD, f"the receiver answered {answer.status}")
        return self._again(item, "answer", f"the receiver answered {answer.status}", answer.retry_after)

    def _again(self, item: Work, code: str, said: str, after: float | None = None) -> Told:
        wait = wait_before(item.attempts + 1, random=self._random, retry_after=after)
        return Told(DEAD, f"{said}, {item.attempts} times") if wait is None else Told(code, said, wait)


def message(job: JobView, store: Store) -> bytes:
    """The body: `{"type": "document.accepted", "data": {"job", "status", "result" or "error", ...}}`. The same job and outcome give the
    same bytes."""
    data: dict[str, object] = {"job": job.id, "tenant": job.tenant, "document": job.name, "status": job.status}
    if job.packet:
        data |= {"packet": job.packet, "part": job.number}
    if job.result is None:
        data["error"] = {"code": job.error_code, "message": job.error}
    else:
        content = store.read(job.result)
        data["result_sha256"] = job.result_sha256
        data["result"] = json.loads(content) if len(content) <= LARGEST else None
    return json.dumps({"type": f"document.{job.status}", "data": data}, ensure_ascii=False).encode()
