"""READ FIRST. The whole system: preprocess, extract, validate; and run(), the three in a row, in one process.

The same verbs are the queue's steps (`steps.py`): a page at a time, `conclude` at the end, and again after each round of the cascade.
Knows the order of the stages and what each hands to the next. Knows no format, engine or rule.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from pydantic import BaseModel

from docpipe import errors, witness
from docpipe.errors import BusyError, DocpipeError, OutboundError, UsageError
from docpipe.extract import Engine
from docpipe.limits import Limits
from docpipe.preprocess import preprocess, render
from docpipe.records import Failure, Job, Outcome, Page, PageSummary, Readings, Result
from docpipe.stopwatch import Stopwatch
from docpipe.threads import in_order
from docpipe.validate import unsettled, validate
from docpipe.words import OcrEngine, load_words, read_words
from docpipe.workspace import Workspace

S = TypeVar("S", bound=BaseModel)
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0  # seconds between two tries of what is busy or away, where nobody says how long
_PASSING = frozenset({BusyError.code, OutboundError.code})
log, progress = logging.getLogger(__name__), logging.getLogger("docpipe.progress")

__all__ = ["conclude", "extract", "judge", "page_engines", "preprocess", "read_document", "read_page_words", "run", "validate"]


def run(
    job: Job,
    schema: type[S],
    *,
    engines: Sequence[Engine],
    ocr: OcrEngine,
    space: Workspace,
    limits: Limits | None = None,
    password: str | None = None,
    pages: Sequence[Page] | None = None,
) -> Result[S]:
    """Read one document with one schema, in this process; `pages` where they are prepared in `space` already, for `job` as it is.

    The cheapest reading first: the engines that read the whole document always do, those that read page by page are asked one after the
    other, and only for the pages that are still unsettled. Raises DocumentError where the document cannot be opened; a page that fails is a
    page error in the result, whose `timing` holds the seconds of each stage.
    """
    watch, limits = Stopwatch(), limits or Limits()
    with watch.stage("preprocess"):
        if pages is None:
            job, pages = preprocess(job, space=space, limits=limits, password=password)
    with watch.stage("words"):
        pages = [read_page_words(page, job=job, ocr=ocr, space=space) for page in pages]
    with watch.stage("extract"):
        outcomes = read_document(job, pages, schema, engines=engines, space=space)
    for engine in page_engines(engines):
        with watch.stage("validate"):
            again = unsettled(judge(job, pages, outcomes, schema, space=space), schema)
        with watch.stage("extract"):
            asked = [page for page in pages if page.number in again]
            found = extract(job, asked, schema, engine=engine, space=space, limits=limits, password=password, patience=limits.patience)
        _warn_of_failures(found)
        outcomes += found
    result = conclude(job, pages, outcomes, schema, ocr=ocr, space=space, limits=limits, password=password, watch=watch)
    return result.model_copy(update={"timing": watch.seconds})


def page_engines(engines: Sequence[Engine]) -> list[Engine]:
    """The tiers of the cascade, in order."""
    return [engine for engine in engines if engine.scope == "page"]


def read_document(
    job: Job, pages: Sequence[Page], schema: type[BaseModel], *, engines: Sequence[Engine], space: Workspace
) -> list[Outcome]:
    """What the engines that read all pages together find."""
    whole = [engine for engine in engines if engine.scope == "document"]
    return [outcome for engine in whole for outcome in extract(job, pages, schema, engine=engine, space=space)]


def conclude(
    job: Job,
    pages: Sequence[Page],
    outcomes: Sequence[Outcome],
    schema: type[S],
    *,
    ocr: OcrEngine,
    space: Workspace,
    limits: Limits,
    password: str | None = None,
    watch: Stopwatch | None = None,
) -> Result[S]:
    """The result of all that was read. What would be accepted on the word of a text layer is looked at before it is. Leaves
    `readings.json`."""
    watch = watch or Stopwatch()
    with watch.stage("validate"):
        readings = _readings(job, pages, outcomes, space)
        result = validate(readings, schema)
    if result.status == "accepted" and (wanted := witness.sights(readings, result, schema)):
        with watch.stage("witness"):
            seen = _look(job, pages, wanted, ocr=ocr, space=space, limits=limits, password=password)
            readings = readings.model_copy(update={"outcomes": (*readings.outcomes, seen)})
            result = validate(readings, schema)
    space.save(space.path("readings.json"), readings)
    return result.model_copy(update={"retryable": _worth_another_try(readings)})


def judge(job: Job, pages: Sequence[Page], outcomes: Sequence[Outcome], schema: type[S], *, space: Workspace) -> Result[S]:
    """The result as far as it was read."""
    return validate(_readings(job, pages, outcomes, space), schema)


def _readings(job: Job, pages: Sequence[Page], outcomes: Sequence[Outcome], space: Workspace) -> Readings:
    return Readings(job=job, pages=tuple(summarize(page, space) for page in pages), outcomes=tuple(outcomes))


def extract(
    job: Job,
    pages: Sequence[Page],
    schema: type[BaseModel],
    *,
    engine: Engine,
    space: Workspace,
    limits: Limits | None = None,
    password: str | None = None,
    patience: float = 0.0,
) -> list[Outcome]:
    """Let one engine read the pages, all in one go or each by itself as its scope says, with their images if it needs them. Never raises
    for a bad page: that is a Failure. A UsageError is about no page, and is raised. What the engine asks is busy or away for no longer
    than `patience` seconds, or it is a Failure too: a queue has none, as it waits for itself. Where one page has waited in vain, the next
    are tried once each."""
    limits, drawing, in_vain = limits or Limits(), threading.Lock(), threading.Event()

    def read(group: Sequence[Page]) -> Outcome:
        if engine.needs_image:
            with drawing:  # one rendering process is enough: the model is what takes time
                group = [render(page, job=job, space=space, limits=limits, password=password) for page in group]
        return engine.read(group, schema, job=job, space=space)

    def outcome(group: Sequence[Page]) -> Outcome:
        guarded = partial(_guarded, partial(read, group), engine.name, tuple(page.number for page in group))
        found = _patiently(guarded, 0.0 if in_vain.is_set() else patience)
        away = isinstance(found, Failure) and found.code in _PASSING
        (in_vain.set if away else in_vain.clear)()
        return found

    readable = [page for page in pages if page.status == "done" and page.kind == "content"]
    groups = [[page] for page in readable] if engine.scope == "page" else [readable]
    return list(in_order(outcome, groups, together=engine.together))


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
        kind=page.kind,
        error=page.error,
    )


def _worth_another_try(readings: Readings) -> bool:
    """A page or an engine failed for want of time, memory or disk."""
    passing = {kind.code for kind in errors.tree() if kind.retryable}
    failures = [outcome for outcome in readings.outcomes if isinstance(outcome, Failure)]
    return any(failure.retryable for failure in failures) or any(page.error in passing for page in readings.pages)


def read_page_words(page: Page, *, job: Job, ocr: OcrEngine, space: Workspace) -> Page:
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


def _patiently(read: Callable[[], Outcome], patience: float) -> Outcome:
    """What is read in the end. Waits as long as it is told to, or twice as long each time."""
    until, wait = time.monotonic() + patience, FIRST_WAIT
    while True:
        outcome = read()
        if not isinstance(outcome, Failure) or outcome.code not in _PASSING or time.monotonic() + max(wait, outcome.after) > until:
            return outcome
        progress.info("page %s waits: %s", ", ".join(map(str, outcome.pages)), outcome.message)
        time.sleep(max(wait, outcome.after))
        wait = min(LONGEST_WAIT, 2 * wait)


def _warn_of_failures(outcomes: Sequence[Outcome]) -> None:
    """A line for each thing that went wrong, however many pages it went wrong for."""
    pages: dict[tuple[str, str], list[int]] = {}
    for failure in outcomes:
        if isinstance(failure, Failure):
            pages.setdefault((failure.engine, failure.message), []).extend(failure.pages)
    for (engine, message), numbers in pages.items():
        log.warning("%s gave up on page %s: %s", engine, ", ".join(map(str, numbers)), message)


def _guarded(read: Callable[[], Outcome], name: str, numbers: tuple[int, ...]) -> Outcome:
    """What was read, or the failure to read it."""
    try:
        return read()
    except UsageError:
        raise
    except DocpipeError as problem:
        wait = problem.after if isinstance(problem, BusyError) else problem.retry_after if isinstance(problem, OutboundError) else None
        said = f"{problem.message} ({problem.hint})" if problem.hint else problem.message
        return Failure(engine=name, pages=numbers, code=problem.code, message=said, retryable=problem.retryable, after=wait or 0.0)
    except Exception as problem:
        if errors.is_exhausted(problem):
            raise
        log.exception("engine %s failed", name)
        return Failure(engine=name, pages=numbers, code="engine", message=f"{type(problem).__name__}: {problem}")
