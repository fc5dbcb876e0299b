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
def typed(doing: str) -> Iterator[None]:
    """Whatever goes wrong inside becomes a docpipe error that says what was being done."""
    try:
        yield
    except DocpipeError:
        raise
    except Exception as problem:
        raise _typed(problem, doing) from problem


def _typed(problem: Exception, doing: str) -> DocpipeError:
    said = f"{type(problem).__name__}: {' '.join(str(problem).split())[:500]}"
    if is_exhausted(problem) or (isinstance(problem, RuntimeError) and _OUT_OF_MEMORY.search(str(problem))):
        return ResourceError(
            f"no memory left while {doing}", hint="a smaller batch, fewer pixels, quantization or a smaller model (docs/models.md)"
        )
    if any(_is_network(cause) for cause in _causes(problem)):
        return OutboundError(f"the model hub could not be reached while {doing}: {said}", hint="try again, or give the model's folder")
    return EngineError(f"{said}, while {doing}")


def _causes(problem: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    cause: BaseException | None = problem
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__


def _is_network(problem: BaseException) -> bool:
    return isinstance(problem, ConnectionError | TimeoutError) or type(problem).__module__.partition(".")[0] in _NETWORK
