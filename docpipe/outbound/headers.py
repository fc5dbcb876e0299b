"""What an answer's headers say: its length, its wait, its name and type. Trusts none of them; knows no network."""

from __future__ import annotations

import email.message
import email.utils
import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import PurePosixPath

from docpipe.errors import AnswerError, OutboundError, TooLargeError

_WHOLE = frozenset({200, 203})  # 206 is a part, 202 and 204 are none
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504, 507})
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,60}/[a-z0-9!#$&^_.+-]{1,60}")
_LONGEST_VALUE = 2000  # characters of a header that are looked at
_LONGEST_NAME = 60  # characters; with 4 bytes each it stays under the 255 bytes a file name may have
_UNSAFE = re.compile(r'[<>:"|?*]')


def read(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Header by its name in lower case; the first of several counts."""
    found: dict[str, str] = {}
    for name, value in raw:
        found.setdefault(name.decode("latin-1").lower(), value.decode("latin-1").strip())
    return found


def check_document(status: int, headers: Mapping[str, str], *, largest: int, about: str) -> None:
    """Raises where the answer is not one whole document: OutboundError or, where another try does not help, AnswerError, with the status;
    TooLargeError where it says that it is longer than `largest` bytes."""
    if status not in _WHOLE:
        kind = OutboundError if status in _PASSING else AnswerError
        raise kind(f"{about}: answered {status}", status=status, retry_after=retry_after(headers))
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise AnswerError(f"{about}: the answer is compressed, which was not asked for", status=status)
    length, chunked = headers.get("content-length"), "transfer-encoding" in headers
    if length is None and not chunked:
        raise AnswerError(
            f"{about}: the answer does not say where it ends, so that one cut short cannot be told from a whole one", status=status
        )
    if not chunked and int(length or 0) > largest:
        raise too_large(largest, about)


def too_large(largest: int, about: str) -> TooLargeError:
    """The error for a document of more than `largest` bytes."""
    return TooLargeError(f"{about}: longer than {largest} bytes")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that the server asks to wait, as a number or up to a date; None where it does not say or cannot be understood."""
    said = headers.get("retry-after", "")[:_LONGEST_VALUE]
    if re.fullmatch(r"[0-9]{1,9}", said):
        return float(said)
    try:
        until = email.utils.parsedate_to_datetime(said)
    except (ValueError, OverflowError):
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())


def media_type(headers: Mapping[str, str]) -> str:
    """The media type without its parameters; application/octet-stream where there is none."""
    said = headers.get("content-type", "").partition(";")[0].strip().lower()
    return said if _MEDIA_TYPE.fullmatch(said) else "application/octet-stream"


def file_name(headers: Mapping[str, str], path: str) -> str:
    """The document's base name, from Content-Disposition, else from the URL's decoded path: no folder, nothing invisible, not
    hidden, not long."""
    disposition = email.message.Message()
    disposition["Content-Disposition"] = headers.get("content-disposition", "")[:_LONGEST_VALUE]
    return _base_name(disposition.get_filename() or "") or _base_name(path) or "document"


def _base_name(text: str) -> str:
    """What is left of a name when nothing of it can do harm; may be empty."""
    last = text.replace("\\", "/").rstrip("/").rpartition("/")[2]
    shown = "".join(_harmless(sign) for sign in unicodedata.normalize("NFC", last[-_LONGEST_VALUE:]))
    plain = PurePosixPath(_UNSAFE.sub("_", shown).strip(". "))
    suffix = plain.suffix[: _LONGEST_NAME // 4]
    return (plain.stem[: _LONGEST_NAME - len(suffix)] + suffix).strip(". ")


def _harmless(sign: str) -> str:
    """The character itself, a space for any kind of blank, nothing for what cannot be seen."""
    kind = unicodedata.category(sign)[0]
    return "" if kind == "C" else " " if kind == "Z" else sign
