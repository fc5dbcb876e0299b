"""The result of a file that holds several documents: those of its parts, put together. Knows results; reads nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from docpipe.records import (
    Document,
    Issue,
    PageSummary,
    Producer,
    Result,
    ResultUsage,
    Route,
    SchemaRef,
    Status,
    Usage,
)
from docpipe.validate.build import producer, sent
from docpipe.validate.complaints import pages_passed_over


def routed(result: Result[Any], route: Route) -> Result[Any]:
    """The result with what sorting made of the document. One that sorting has an error about is never accepted."""
    errors = any(issue.severity == "error" for issue in route.issues)
    status: Status = "review" if errors and result.status == "accepted" else result.status
    said = {"classified": route.classified, "part": route.part, "issues": (*result.issues, *route.issues)}
    return result.model_copy(update={"status": status, **said})


def put_together(document: Document, ref: SchemaRef, parts: Sequence[Result[Any]], *, left: Iterable[PageSummary] = ()) -> Result[Any]:
    """The packet's result: `accepted` or `failed` where each part is, else for `review`. `left` are pages that belong to no part."""
    statuses, left = {part.status for part in parts}, list(left)
    pages = [*(page for part in parts for page in part.pages), *left]
    return Result(
        status=statuses.pop() if len(statuses) == 1 else "review",
        document=document,
        schema_ref=ref,
        data={},
        pages=tuple(sorted(pages, key=lambda page: page.number)),
        usage=ResultUsage(
            pages=len(pages),
            by_engine=_by_engine([part.usage for part in parts]),
            sent=sent(one for part in parts for one in part.usage.sent),
        ),
        issues=(*pages_passed_over(left), *_left_out(left)),
        producer=_producer(parts),
        parts=tuple(parts),
        retryable=any(part.retryable for part in parts),
    )


def _left_out(pages: Iterable[PageSummary]) -> Iterator[Issue]:
    for page in pages:
        if page.kind == "content" and page.status != "blank":
            yield Issue(code="page_left_out", page=page.number, message="the page is in none of the parts: nothing was looked for on it")


def failed_part(document: Document, route: Route, *, code: str, message: str) -> Result[Any]:
    """What stands in for the result of a part that has none."""
    numbers = route.part.pages if route.part else ()
    return Result(
        status="failed",
        document=document,
        schema_ref=route.schema_ref,
        data={},
        issues=(Issue(code=code, severity="error", message=message), *route.issues),
        pages=tuple(PageSummary(number=number, status="failed", error=code) for number in numbers),
        producer=producer([]),
        classified=route.classified,
        part=route.part,
    )


def _by_engine(usages: Sequence[ResultUsage]) -> dict[str, Usage]:
    names = sorted({name for usage in usages for name in usage.by_engine})
    return {name: Usage.total(usage.by_engine[name] for usage in usages if name in usage.by_engine) for name in names}


def _producer(parts: Sequence[Result[Any]]) -> Producer:
    """The engines and models of all of them."""
    engines = {name: version for part in parts for name, version in part.producer.engines.items()}
    models = {name: model for part in parts for name, model in part.producer.models.items()}
    return producer([]).model_copy(update={"engines": dict(sorted(engines.items())), "models": dict(sorted(models.items()))})
