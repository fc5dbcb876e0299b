"""What a call is allowed to do and take. Knows no network."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, field_validator

from docpipe.limits import Limits
from docpipe.outbound.addresses import check_allowed
from docpipe.records import Record


class Outbound(Record):
    """The rules that a call keeps to.

    `allowed`: networks, addresses or host names that may be called although they are not public. `plain_http`: http:// is called too.
    `seconds` is for the whole call: look-up, connection, redirects, headers and body. `redirects` may be followed by a fetch. `largest`
    is the most bytes of a document. `ca_file`: the only authorities (PEM) whose certificates count, instead of the usual ones.
    """

    allowed: tuple[str, ...] = ()
    plain_http: bool = False
    seconds: float = Field(60.0, gt=0, le=86_400)
    redirects: int = Field(3, ge=0)
    largest: int = Field(Limits.model_fields["file_bytes"].default, ge=0)
    ca_file: Path | None = None

    @field_validator("allowed")
    @classmethod
    def _each_is_one(cls, entries: tuple[str, ...]) -> tuple[str, ...]:
        check_allowed(entries)
        return entries
