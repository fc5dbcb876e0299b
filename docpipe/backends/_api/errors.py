"""What a server says instead of an answer -> docpipe's errors. Knows statuses, headers and the bodies of errors; no connection.

Of a server's own words only so much is repeated as tells what is wrong: they may quote the question, and they may quote the key.
"""

from __future__ import annotations

import email.utils
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from docpipe.errors import AnswerError, BusyError, DocpipeError, EngineError, OutboundError

MOST_WAIT = 86_400.0  # seconds: limits per day are the longest there are
_SHOWN = 200  # characters of what a server says
_PASSING = frozenset({408, 409, 425})  # and all of 500 and more
_DECLINED = frozenset({"content_filter", "content_policy_violation", "moderation_blocked", "responsibleaipolicyviolation"})
_BROKE = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
_BUSY = frozenset({"rate_limit_exceeded", "rate_limit_error", "too_many_requests", "ratelimitreached"})
_TOO_LONG = re.compile(
    r"context[ _-](length|window|size)|(prompt|input)\b.{0,40}\b(too long|longer than|exceeds)|max_tokens must be at least 1", re.IGNORECASE
)
_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?!s))?(?:(\d+(?:\.\d+)?)s)?(?:(\d+(?:\.\d+)?)ms)?")
_FEWER = "fewer pixels (DOCPIPE_MODEL__PIXELS), fewer examples, or a model with a longer context"
# What the server names as wrong -> the setting that leaves it out; the first that fits.
_HINTS = (
    ("logprobs", "DOCPIPE_MODEL__API__LOGPROBS=false"),
    ("temperature", "for a model that thinks, DOCPIPE_MODEL__API__EFFORT=low"),
    ("reasoning_effort", "DOCPIPE_MODEL__API__EFFORT is none of this model's, or not for it"),
    ("max_tokens", "DOCPIPE_MODEL__API__DIALECT=openai"),
    ("max_completion_tokens", "DOCPIPE_MODEL__API__DIALECT=open"),
    ("maxlength", "DOCPIPE_MODEL__API__DIALECT=openai"),
    ("response_format", "DOCPIPE_MODEL__API__STRUCTURED=json_object or none"),
    ("schema", "DOCPIPE_MODEL__API__STRUCTURED=json_object or none"),
    ("stream_options", """DOCPIPE_MODEL__API__EXTRA='{"stream_options": null}'"""),
    ("detail", "DOCPIPE_MODEL__API__DETAIL=high"),
    ("image", "does the model see images?"),
)
_STATUS_HINTS = {
    401: "DOCPIPE_MODEL__API__KEY is not this server's",
    402: "the account has no credit left",
    403: "the key of DOCPIPE_MODEL__API__KEY may not do this",
    404: "look at DOCPIPE_MODEL__MODEL and DOCPIPE_MODEL__API__URL, which mostly ends in /v1",
    413: "fewer pixels (DOCPIPE_MODEL__PIXELS) or a lower DOCPIPE_MODEL__API__JPEG_QUALITY",
}


@dataclass(frozen=True)
class Complaint:
    """What was said instead of an answer. `after`: the seconds that the server asks to wait, None where it does not say."""

    status: int
    code: str = ""
    parameter: str = ""
    message: str = ""
    after: float | None = None

    @property
    def declined(self) -> bool:
        """The question itself is what the server will not answer: a refusal."""
        return self.code.lower() in _DECLINED

    def error(self, host: str, *, secret: str) -> DocpipeError:
        """The complaint as an error. `secret` stands in no message, not in part either."""
        about = f"{host}: answered {self.status}" + (f" {self._told(secret)}".rstrip())
        if (self.status == 429 and self.code not in _BROKE) or (self.status == 402 and self.after is not None):
            return BusyError(about, after=min(self.after or 0.0, MOST_WAIT))
        if self.status >= 500 or self.status in _PASSING:
            return OutboundError(about, status=self.status, retry_after=self.after)
        if self.code == "context_length_exceeded" or _TOO_LONG.search(self.message):
            return EngineError(about, hint=_FEWER)
        return AnswerError(about, status=self.status, hint=self._hint())

    def _told(self, secret: str) -> str:
        if self.status in (401, 403):  # some servers quote the key here, or its ends
            return ""
        return " ".join(self.message.replace(secret, "***").split() if secret else self.message.split())[:_SHOWN]

    def _hint(self) -> str:
        if self.status in _STATUS_HINTS or self.code in _BROKE:
            return _STATUS_HINTS.get(self.status, _STATUS_HINTS[402])
        if 300 <= self.status < 400:
            return "the server sends its callers elsewhere; set DOCPIPE_MODEL__API__URL to that"
        said = f"{self.parameter} {self.message}".lower()
        return next((hint for name, hint in _HINTS if name in said), "docpipe doctor --backend openai_api tells more")


class Complained(Exception):
    """A server said something else than an answer."""

    def __init__(self, complaint: Complaint) -> None:
        super().__init__(f"answered {complaint.status}")
        self.complaint = complaint


def complaint(body: Any, *, status: int | None = None, headers: Mapping[str, str] | None = None) -> Complaint:
    """Reads the body of an error, or what came instead of a piece of an answer, which has no status of its own."""
    said = body if isinstance(body, dict) else {}
    code, kind = str(said.get("code") or ""), str(said.get("type") or "")
    message = said.get("message") or said.get("detail") or ""
    return Complaint(
        status=_status_of(code, kind) if status is None else status,
        code=_filtered(said) or code or kind,
        parameter=str(said.get("param") or ""),
        message=message if isinstance(message, str) else "",
        after=wait(headers or {}),
    )


def wait(headers: Mapping[str, str]) -> float | None:
    """The seconds that the server asks to wait: `retry-after-ms`, `retry-after` as a number or a date, else when the limit that is used up
    is reset. None where it does not say or cannot be understood."""
    if (found := _number(headers.get("retry-after-ms", ""))) is not None:
        return found / 1000
    said = headers.get("retry-after", "")
    if (found := _number(said)) is not None:
        return found
    if said and (found := _until(said)) is not None:
        return found
    resets = [_duration(headers.get(f"x-ratelimit-reset-{kind}", "")) for kind in ("requests", "tokens") if _is_used_up(headers, kind)]
    return max((reset for reset in resets if reset is not None), default=None)


def _status_of(code: str, kind: str) -> int:
    """The status that a complaint would have had, were it not in the middle of an answer; 500 where it does not say."""
    if re.fullmatch(r"[45]\d\d", code):
        return int(code)
    if code.lower() in _BUSY or kind.lower() in _BUSY:
        return 429
    return 400 if code.lower() in _DECLINED or kind.lower().replace("_", "") in ("invalidrequesterror", "badrequesterror") else 500


def _filtered(said: Mapping[str, Any]) -> str:
    """The code of a question that was filtered, where it stands one level further in: Azure's inner error, OpenRouter's moderation."""
    inner, more = said.get("innererror"), said.get("metadata")
    if isinstance(more, dict) and "flagged_input" in more:
        return "content_filter"
    return str(inner.get("code") or "") if isinstance(inner, dict) else ""


def _is_used_up(headers: Mapping[str, str], kind: str) -> bool:
    return headers.get(f"x-ratelimit-remaining-{kind}", "0").strip() in ("", "0")


def _number(said: str) -> float | None:
    return float(said) if re.fullmatch(r"\s*\d{1,12}(\.\d{1,9})?\s*", said) else None


def _until(said: str) -> float | None:
    try:
        until = email.utils.parsedate_to_datetime(said[:100])
    except (ValueError, OverflowError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def _duration(said: str) -> float | None:
    """`6m0s`, `1.5s`, `20ms` or plain seconds."""
    if (found := _number(said)) is not None:
        return found
    match = _DURATION.fullmatch(said.strip()[:40])
    if not match or not any(match.groups()):
        return None
    return sum(float(part or 0) * unit for part, unit in zip(match.groups(), (86_400, 3600, 60, 1, 0.001), strict=True))
