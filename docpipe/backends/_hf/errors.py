"""What torch, transformers and their hub raise -> docpipe's errors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from docpipe.errors import DocpipeError, EngineError, OutboundError, ResourceError, is_exhausted

# torch has a class for a full GPU only; a full CPU is a RuntimeError that says so.
_OUT_OF_MEMORY = re.compile(r"out of memory|can't allocate memory|not enough memory|CUBLAS_STATUS_ALLOC_FAILED", re.IGNORECASE)
_NETWORK = {"httpx", "httpcore", "httpx2", "httpcore2", "requests", "urllib3", "socket"}


@contextmanager
def typed(doing: str, *, place: str = "", hint: str | None = None) -> Iterator[None]:
    """Whatever goes wrong inside becomes a docpipe error that says what was being done; of the path `place` only the last part is named.
    `hint` is the way out where the library itself is at a loss."""
    try:
        yield
    except DocpipeError:
        raise
    except Exception as problem:
        raise _typed(problem, doing, place, hint) from problem


def _typed(problem: Exception, doing: str, place: str, hint: str | None) -> DocpipeError:
    words = " ".join(str(problem).split())
    if "/" in place:
        words = words.replace(place, place.rstrip("/").rpartition("/")[2])
    said = f"{type(problem).__name__}: {words[:500]}"
    if is_exhausted(problem) or (isinstance(problem, RuntimeError) and _OUT_OF_MEMORY.search(str(problem))):
        return ResourceError(
            f"no memory left while {doing}", hint="a smaller batch, fewer pixels, quantization or a smaller model (docs/models.md)"
        )
    if any(_is_network(cause) for cause in _causes(problem)):
        return OutboundError(f"the model hub could not be reached while {doing}: {said}", hint="try again, or give the model's folder")
    return EngineError(f"{said}, while {doing}", hint=hint)


def _causes(problem: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    cause: BaseException | None = problem
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__


def _is_network(problem: BaseException) -> bool:
    return isinstance(problem, ConnectionError | TimeoutError) or type(problem).__module__.partition(".")[0] in _NETWORK
