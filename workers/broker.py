"""The messages on their way, as Redis has them: sending, counting, and noticing that they are gone. Knows no job."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from typing import Any

import redis
from celery import Celery

from docpipe.ledger import LANES, Lane, Sent
from docpipe.ledger.claim import MOST_SECONDS
from workers.app import queue_name

TASK = "docpipe.work"


class Broker:
    """Redis, through Celery for sending and by itself for looking. Everything raises what redis and kombu raise (`ERRORS`)."""

    def __init__(self, app: Celery, *, url: str, prefix: str) -> None:
        self._app = app
        self._prefix = prefix
        self._redis: Any = redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5)

    def send(self, sent: Iterable[Sent]) -> Iterator[Sent]:
        """Send each hint to its lane; yields it once it is sent."""
        with self._app.producer_pool.acquire(block=True, timeout=10) as producer:
            for one in sent:
                self._app.send_task(
                    TASK,
                    tuple(one.hint),
                    queue=queue_name(one.lane),
                    producer=producer,
                    time_limit=MOST_SECONDS[one.hint.kind],
                    retry=False,
                )
                yield one

    def has_forgotten(self) -> bool:
        """Whether its memory is another one than at the last call; the first call of all says so too."""
        return bool(self._redis.set(f"{self._prefix}epoch", secrets.token_hex(8), nx=True))

    def lengths(self) -> dict[Lane, int]:
        """Messages that wait in each lane."""
        pipe = self._redis.pipeline(transaction=False)
        for lane in LANES:
            pipe.llen(f"{self._prefix}{queue_name(lane)}")
        return dict(zip(LANES, pipe.execute(), strict=True))

    def held(self) -> int:
        """Messages that workers have taken and not acknowledged."""
        return int(self._redis.hlen(f"{self._prefix}unacked"))
