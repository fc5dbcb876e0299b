"""READ FIRST. The whole system: preprocess, extract, validate; and run(), the three in a row, with a second look before it accepts.

Knows the order of the stages and what each hands to the next. Knows no format, engine or rule.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from pydantic import BaseModel

from docpipe import errors, witness
from docpipe.errors import DocpipeError
from docpipe.extract import Engine
from docpipe.limits import Limits
from docpipe.preprocess import preprocess
from docpipe.records import Failure, Job, Outcome, Page, PageSummary, Readings, Result
from docpipe.stopwatch import Stopwatch
from docpipe.validate import validate
from docpipe.words import OcrEngine, load_words, read_words
from docpipe.workspace import Workspace

S = TypeVar("S", bound=BaseModel)
log = logging.getLogger(__name__)

__all__ = ["extract", "preprocess", "read_words", "run", "validate"]


def run(
    job: Job,
    schema: type[S],
    *,
    engines: Sequence[Engine],
    ocr: OcrEngine,
    space: Workspace,
    limits: Limits | None = None,
    password: str | None = None,
) -> Result[S]:
    """Read one document with one schema, in this process.

    Raises DocumentError where the document cannot be opened; a page that fails is a page error in the result, whose `timing` holds
    the seconds of each stage. What would be accepted on the word of a text layer is looked at before it is.
    """
    watch, limits = Stopwatch(), limits or Limits()
    with watch.stage("preprocess"):
        job, pages = preprocess(job, space=space, limits=limits, password=password)
    with watch.stage("words"):
        pages = [_with_words(page, ocr, job, space) for page in pages]
    with watch.stage("extract"):
        outcomes = [outcome for engine in engines for outcome in extract(job, pages, schema, engine=engine, space=space)]
    with watch.stage("validate"):
        readings = Readings(job=job, pages=tuple(summarize(page, space) for page in pages), outcomes=tuple(outcomes))
        result = validate(readings, schema)
    if result.status == "accepted" and (wanted := witness.sights(readings, result, schema)):
        with watch.stage("witness"):
            seen = _look(job, pages, wanted, ocr=ocr, space=space, limits=limits, password=password)
            readings = readings.model_copy(update={"outcomes": (*readings.outcomes, seen)})
            result = validate(readings, schema)
    space.save(space.path("readings.json"), readings)
    return result.model_copy(update={"timing": watch.seconds, "retryable": _worth_another_try(readings)})


def extract(job: Job, pages: Sequence[Page], schema: type[BaseModel], *, engine: Engine, space: Workspace) -> list[Outcome]:
    """Let one engine read the pages, one by one or together as its scope says. Never raises for a bad page: that is a Failure."""
    readable = [page for page in pages if page.status == "done"]
    groups = [[page] for page in readable] if engine.scope == "page" else [readable]
    return [_outcome(job, group, schema, engine, space) for group in groups]


def summarize(page: Page, space: Workspace) -> PageSummary:
    """A page as the result shows it."""
    words = load_words(page, space)
    return PageSummary(
        number=page.number,
        status=page.status,
        words=words.source if words else "none",
        rotation=page.rotation,
        skew=page.skew,
        dpi=page.dpi,
        tiles=max(1, len(page.tiles)),
        width=page.width,
        height=page.height,
        error=page.error,
    )


def _worth_another_try(readings: Readings) -> bool:
    """A page or an engine failed for want of time, memory or disk."""
    passing = {kind.code for kind in errors.tree() if kind.retryable}
    failures = [outcome for outcome in readings.outcomes if isinstance(outcome, Failure)]
    return any(failure.retryable for failure in failures) or any(page.error in passing for page in readings.pages)


def _with_words(page: Page, ocr: OcrEngine, job: Job, space: Workspace) -> Page:
    """The page once its words are stored; a page whose words cannot be read is a failed page."""
    if page.status != "done":
        return page
    try:
        read_words(page, ocr=ocr, languages=job.options.languages, space=space)
    except DocpipeError as problem:
        log.warning("page %d: %s", page.number, problem)
        return page.model_copy(update={"status": "failed", "error": problem.code})
    except Exception as problem:
        if errors.is_exhausted(problem):
            raise  # the whole document is tried again, where a hole would stay
        log.exception("page %d: the OCR engine %s failed", page.number, ocr.name)
        return page.model_copy(update={"status": "failed", "error": errors.EngineError.code})
    return page


def _look(
    job: Job,
    pages: Sequence[Page],
    wanted: Sequence[witness.Sight],
    *,
    ocr: OcrEngine,
    space: Workspace,
    limits: Limits,
    password: str | None,
) -> Outcome:
    numbers = tuple(sorted({sight.page for sight in wanted}))
    return _guarded(lambda: witness.look(job, pages, wanted, ocr=ocr, space=space, limits=limits, password=password), witness.NAME, numbers)


def _outcome(job: Job, pages: Sequence[Page], schema: type[BaseModel], engine: Engine, space: Workspace) -> Outcome:
    return _guarded(lambda: engine.read(pages, schema, job=job, space=space), engine.name, tuple(page.number for page in pages))


def _guarded(read: Callable[[], Outcome], name: str, numbers: tuple[int, ...]) -> Outcome:
    """What was read, or the failure to read it."""
    try:
        return read()
    except DocpipeError as problem:
        return Failure(engine=name, pages=numbers, code=problem.code, message=problem.message, retryable=problem.retryable)
    except Exception as problem:
        if errors.is_exhausted(problem):
            raise
        log.exception("engine %s failed", name)
        return Failure(engine=name, pages=numbers, code="engine", message=f"{type(problem).__name__}: {problem}")
