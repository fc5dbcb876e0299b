"""Every error docpipe raises on purpose.

DocpipeError
├── UsageError              2   the command line, a setting or a schema reference makes no sense
│   ├── SettingsError       2
│   └── SchemaError         3   the schema cannot be found, loaded or read with
├── DocumentError               the document is at fault; trying again does not help
│   ├── NotFoundError       10  no such file, or not a file
│   ├── UnsupportedError    11  not a format docpipe reads
│   ├── DamagedError        12  the format is right, the content cannot be opened
│   ├── PasswordError       13  a password is needed, or the one given is wrong
│   ├── TooLargeError       14  more bytes, pages or pixels than the limits allow
│   └── EmptyError          15  opens, but holds no page
├── PageError               20  one page could not be rendered or read (a page error in the result, not the document's end)
│   └── CrashError          22  its process died or hung, again and again
├── FailedError             21  the document was read, but its result is `failed`; the JSON is written all the same
├── EngineError             30  an engine is missing or broke
│   ├── MissingError        31  an optional part is not installed
│   └── BusyError           32  an engine cannot take more just now, such as at a rate limit (retryable)
├── DeadlineError           40  something took longer than its deadline (retryable)
├── ResourceError           41  out of memory or disk (retryable)
├── LedgerError             42  the ledger does not answer (retryable)
├── QuotaError              43  the backlog is full: try later (retryable)
├── BudgetError             44  the money for a job or a tenant does not reach for the next call
├── OutboundError           45  an address that was to be called did not answer, or not with what was asked for (retryable)
│   ├── AnswerError         46  it answered in a way that another try does not change
│   └── ForbiddenAddressError 47 an address that docpipe does not call
├── SearchIndexError        48  the search index does not answer (retryable)
├── MismatchError           50  a result, workspace or file does not belong to the others
│   ├── ConflictError       51  an idempotency key stands for something else already
│   └── SignatureError      52  a webhook's signature, time or id is not what its sender makes
└── IncompleteError         60  a batch went through, but some of its documents have no usable result

The number is the command's exit code. Each class says whether a retry can help and, as `hint`, the way out.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from typing import ClassVar

_EXHAUSTED = frozenset({errno.ENOSPC, errno.EDQUOT, errno.ENOMEM})


class DocpipeError(Exception):
    """Base of all; `message` says what is wrong, `hint` what to do, `file` the base name it is about."""

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1
    retryable: ClassVar[bool] = False
    default_hint: ClassVar[str] = ""

    def __init__(self, message: str, *, file: str | None = None, hint: str | None = None, page: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.file = file
        self.page = page
        self.hint = self.default_hint if hint is None else hint

    def __str__(self) -> str:
        """`CODE: FILE: message (hint)`, the form of the CLI's last line."""
        return ": ".join(part for part in (self.code, self.file, self.message) if part) + (f" ({self.hint})" if self.hint else "")


def tree(kind: type[DocpipeError] = DocpipeError) -> Iterator[type[DocpipeError]]:
    """The class and every class below it, in the order of the drawing."""
    yield kind
    for child in kind.__subclasses__():
        yield from tree(child)


class UsageError(DocpipeError):
    """The call itself makes no sense."""

    code = "usage"
    exit_code = 2


class SettingsError(UsageError):
    """A DOCPIPE_ variable has a value that cannot be used."""

    code = "settings"


class SchemaError(UsageError):
    """The schema cannot be found, loaded or read with."""

    code = "schema"
    exit_code = 3
    default_hint = "give a built-in name, module:Class or path/to/file.py:Class"


class DocumentError(DocpipeError):
    """The document is at fault."""

    code = "document"
    exit_code = 12


class NotFoundError(DocumentError):
    """There is no such file."""

    code = "not_found"
    exit_code = 10
    default_hint = "check the path"


class UnsupportedError(DocumentError):
    """The content is not of a format docpipe reads."""

    code = "unsupported"
    exit_code = 11
    default_hint = "convert it to PDF, PNG, JPEG, TIFF, WebP, BMP, GIF or HEIC, or give an e-invoice as XML"


class DamagedError(DocumentError):
    """The content is of a known format but cannot be opened."""

    code = "damaged"
    exit_code = 12
    default_hint = "ask the sender for the file again, or repair it with a PDF or image tool"


class PasswordError(DocumentError):
    """A password is needed, or the one given is wrong."""

    code = "password"
    exit_code = 13
    default_hint = "give the document's password with --password or --password-file"


class TooLargeError(DocumentError):
    """More bytes, pages or pixels than the limits allow."""

    code = "too_large"
    exit_code = 14
    default_hint = "raise the limit named above, or split the document"


class EmptyError(DocumentError):
    """The document opens but holds no page."""

    code = "empty"
    exit_code = 15
    default_hint = "ask the sender for the file again"


class PageError(DocpipeError):
    """One page could not be rendered or read."""

    code = "page"
    exit_code = 20


class CrashError(PageError):
    """Reading it ended its process, again and again."""

    code = "crash"
    exit_code = 22
    default_hint = "docpipe quarantine show tells more; docpipe retry tries it once more"


class FailedError(DocpipeError):
    """The document was read, but nothing of it can be used."""

    code = "failed"
    exit_code = 21
    default_hint = "the result's issues and pages say why"


class EngineError(DocpipeError):
    """An engine broke."""

    code = "engine"
    exit_code = 30


class MissingError(EngineError):
    """An optional part is not installed."""

    code = "missing"
    exit_code = 31


class BusyError(EngineError):
    """An engine cannot take more just now; `after` are the seconds it asks to wait."""

    code = "busy"
    exit_code = 32
    retryable = True
    default_hint = "try again later"

    def __init__(self, message: str, *, after: float = 0.0, page: int | None = None) -> None:
        super().__init__(message, page=page)
        self.after = after


class DeadlineError(DocpipeError):
    """Something took longer than its deadline."""

    code = "deadline"
    exit_code = 40
    retryable = True
    default_hint = "raise DOCPIPE_PAGE_SECONDS or DOCPIPE_DOCUMENT_SECONDS, or simplify the document"


class ResourceError(DocpipeError):
    """Memory or disk ran out."""

    code = "resource"
    exit_code = 41
    retryable = True
    default_hint = "free memory or disk space and try again"


class LedgerError(DocpipeError):
    """The ledger does not answer."""

    code = "ledger"
    exit_code = 42
    retryable = True
    default_hint = "docpipe doctor says what is wrong"


class QuotaError(DocpipeError):
    """The backlog is full."""

    code = "quota"
    exit_code = 43
    retryable = True
    default_hint = "try again later"


class BudgetError(DocpipeError):
    """What a job or a tenant may cost does not reach for the next call, which was not made."""

    code = "budget"
    exit_code = 44
    default_hint = "raise the budget"


class OutboundError(DocpipeError):
    """An address that was to be called did not answer, or not with what was asked for.

    `status` is the HTTP status where there was an answer, `retry_after` the seconds it asked to wait."""

    code = "outbound"
    exit_code = 45
    retryable = True
    default_hint = "try again later"

    def __init__(
        self, message: str, *, status: int | None = None, retry_after: float | None = None, file: str | None = None, hint: str | None = None
    ) -> None:
        super().__init__(message, file=file, hint=hint)
        self.status = status
        self.retry_after = retry_after


class AnswerError(OutboundError):
    """The address answered in a way that another try does not change."""

    code = "answer"
    exit_code = 46
    retryable = False
    default_hint = "check the address"


class ForbiddenAddressError(OutboundError):
    """An address that docpipe does not call."""

    code = "forbidden_address"
    exit_code = 47
    retryable = False
    default_hint = "give a public https:// address, or have the operator allow this one"


class SearchIndexError(DocpipeError):
    """The search index does not answer."""

    code = "index"
    exit_code = 48
    retryable = True
    default_hint = "check DOCPIPE_INDEX, and try again"


class MismatchError(DocpipeError):
    """A result, workspace or file does not belong to the others."""

    code = "mismatch"
    exit_code = 50


class ConflictError(MismatchError):
    """An idempotency key stands for another document or other options already."""

    code = "conflict"
    exit_code = 51


class SignatureError(MismatchError):
    """A webhook's signature, time or id is not what its sender makes."""

    code = "signature"
    exit_code = 52
    default_hint = "answer 401 and keep nothing of it"


class IncompleteError(DocpipeError):
    """Some documents of a batch have no usable result."""

    code = "incomplete"
    exit_code = 60
    default_hint = "errors.jsonl says why; the next call with the same arguments tries them again"


def is_exhausted(problem: BaseException) -> bool:
    """Whether memory or disk ran out: no fault of the document, a page or an engine, so that trying again can help."""
    return isinstance(problem, MemoryError) or (isinstance(problem, OSError) and problem.errno in _EXHAUSTED)
