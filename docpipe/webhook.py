"""Webhooks as https://www.standardwebhooks.com has them: signing and timing on our side, verifying on the receiver's.

Knows headers and bodies; calls no address (docpipe.outbound does) and keeps no job.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any, Literal

from docpipe.errors import SettingsError, SignatureError, UsageError
from docpipe.records import Record
from docpipe.webhook_seen import Seen, SeenFile, SeenInMemory

__all__ = ["RETRIES", "Event", "Receiver", "Secret", "Seen", "SeenFile", "SeenInMemory", "event_id", "sign", "verdict", "wait_before"]

Verdict = Literal["delivered", "again", "dead"]

RETRIES = (5.0, 30.0, 120.0, 600.0, 3_600.0, 14_400.0, 43_200.0, 86_400.0)  # seconds before the second attempt, the third, ...
_JITTER = 0.2  # so that what failed together does not come back together

_PREFIX = "whsec_"
_KEY_BYTES = range(24, 65)  # what the standard asks for
_ID = re.compile(r"[A-Za-z0-9_:-]{1,128}")  # no full stop, which separates it from the time in what is signed
_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_LONGEST_SIGNATURES = 2048  # characters: some forty signatures
_EVENTS = uuid.UUID("e88ad5be-1402-55a4-87f2-ed2c43e76624")


class Secret:
    """A key that webhooks are signed with, from its text `whsec_BASE64`. Shows itself nowhere."""

    __slots__ = ("_key",)

    def __init__(self, text: str) -> None:
        """Raises SettingsError, which does not quote the text."""
        try:
            key = base64.b64decode(text.removeprefix(_PREFIX), validate=True) if text.startswith(_PREFIX) else b""
        except (binascii.Error, ValueError):
            key = b""
        if len(key) not in _KEY_BYTES:
            said = f"a webhook's secret is {_PREFIX} and then {_KEY_BYTES[0]} to {_KEY_BYTES[-1]} bytes in base64"
            raise SettingsError(said, hint=f"make one: echo {_PREFIX}$(openssl rand -base64 32)")
        self._key = key

    def signature(self, content: bytes) -> str:
        """`v1,BASE64` of the content's HMAC-SHA256."""
        return "v1," + base64.b64encode(hmac.new(self._key, content, hashlib.sha256).digest()).decode()

    def __repr__(self) -> str:
        return "Secret(...)"


def sign(body: bytes, *, id: str, timestamp: int, secrets: Sequence[Secret]) -> dict[str, str]:
    """The headers that a body is posted with: its id, the time of this attempt in seconds since 1970, a signature for each secret
    (two while they rotate). Raises UsageError for an id or a time that cannot be signed, SettingsError where there is no secret."""
    if not _ID.fullmatch(id):
        raise UsageError("a webhook's id has letters, digits, -, _ and : and at most 128 of them")
    if not _TIMESTAMP.fullmatch(str(timestamp)):
        raise UsageError("a webhook's timestamp is whole seconds since 1970")
    if not secrets:
        raise SettingsError("a webhook needs a secret to be signed with")
    signatures = [secret.signature(_content(id, str(timestamp), body)) for secret in secrets]
    return {"webhook-id": id, "webhook-timestamp": str(timestamp), "webhook-signature": " ".join(signatures)}


def event_id(job: str, type: str, result_sha256: str) -> str:
    """The id of what is told about a job: the same in every attempt and after every restart, another one for another result."""
    return str(uuid.uuid5(_EVENTS, json.dumps([job, type, result_sha256])))


def wait_before(attempt: int, *, random: Random, retry_after: float | None = None) -> float | None:
    """Seconds to wait before an attempt, counted from 1 for the first, which does not wait; None where the retries are used up.

    What the receiver asked for counts where it is longer, up to the longest of our own waits.
    """
    if attempt <= 1:
        return 0.0
    if attempt - 2 >= len(RETRIES):
        return None
    wait = RETRIES[attempt - 2] * random.uniform(1 - _JITTER, 1 + _JITTER)
    return max(wait, min(retry_after or 0.0, RETRIES[-1]))


def verdict(status: int) -> Verdict:
    """What an answer means: 410 says that nobody will ever want it; all else that is not 2xx may change, a redirect too."""
    if 200 <= status < 300:
        return "delivered"
    return "dead" if status == 410 else "again"


class Event(Record):
    """A webhook that is what its sender signed. `id` is the same in every attempt, `timestamp` (seconds since 1970) is this one's."""

    id: str
    timestamp: int
    body: bytes

    def data(self) -> Any:
        """What the body says, as JSON; raises ValueError where it is none."""
        return json.loads(self.body)


class Receiver:
    """The receiving side. An event counts as seen once `done` was called for it, after its work is stored: what broke off before comes
    again. Two attempts that arrive at the same time can both come through, so let the work be one that may happen twice."""

    def __init__(self, secrets: Sequence[Secret], *, seen: Seen, tolerance: float = 300.0, clock: Callable[[], float] = time.time) -> None:
        """`tolerance`: seconds that a timestamp may be off. Any of the `secrets` may have signed. Raises SettingsError without one."""
        if not secrets:
            raise SettingsError("a receiver needs a secret to verify with")
        self._secrets = tuple(secrets)
        self._seen = seen
        self._tolerance = tolerance
        self._clock = clock

    def receive(self, headers: Mapping[str, str], body: bytes) -> Event | None:
        """The event, or None for one that was seen before: both are answered with 2xx. `body` is as it came over the line.

        Raises SignatureError for what is unsigned, wrongly signed, stale or from the future.
        """
        found = {name.lower(): value for name, value in headers.items()}
        id, timestamp = found.get("webhook-id", ""), found.get("webhook-timestamp", "")
        if not _ID.fullmatch(id) or not _TIMESTAMP.fullmatch(timestamp):
            raise SignatureError("the webhook's id or timestamp is missing or malformed")
        if not self._is_signed(_content(id, timestamp, body), found.get("webhook-signature", "")):
            raise SignatureError("the webhook's signature does not match")
        if abs(self._clock() - int(timestamp)) > self._tolerance:
            raise SignatureError(f"the webhook's timestamp is more than {self._tolerance:g} s off")
        return None if self._seen.has(id) else Event(id=id, timestamp=int(timestamp), body=body)

    def done(self, event: Event) -> None:
        """Remember that the event's work is stored."""
        self._seen.add(event.id, self._clock())

    def _is_signed(self, content: bytes, signatures: str) -> bool:
        """Whether any signature is any secret's; takes as long whichever it is."""
        given = [part.encode("utf-8", "backslashreplace") for part in signatures[:_LONGEST_SIGNATURES].split(" ")]
        matches = [hmac.compare_digest(secret.signature(content).encode(), part) for secret in self._secrets for part in given]
        return any(matches)


def _content(id: str, timestamp: str, body: bytes) -> bytes:
    return f"{id}.{timestamp}.".encode() + body
