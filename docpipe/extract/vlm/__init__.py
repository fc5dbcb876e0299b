"""The vlm engine: a vision-language model is shown a page and asked for the schema's fields; the page's words bear out what it says.

Knows how the parts follow each other: image, question, reply, answer, place on the page. Which model, and where it runs, is the backend's.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import ClassVar, Literal

from pydantic import BaseModel

from docpipe.backends import Backend, ModelOptions, backend_class
from docpipe.errors import BudgetError, DocpipeError, UsageError
from docpipe.extract import Engine
from docpipe.extract.vlm.ask import Inquiry
from docpipe.extract.vlm.candidates import NAME, candidates, joined, of_page
from docpipe.extract.vlm.examples import shots
from docpipe.extract.vlm.image import parts
from docpipe.extract.vlm.shown import shown
from docpipe.extract.vlm.wire import compile_wire
from docpipe.fields import fields_of
from docpipe.records import Failure, Job, Page, Reading, Words
from docpipe.words import load_words
from docpipe.workspace import Workspace


class VlmEngine(Engine):
    """Reads one page at a time, with one call where all goes well."""

    name: ClassVar[str] = NAME
    scope: ClassVar[Literal["page", "document"]] = "page"
    needs_image: ClassVar[bool] = True

    def __init__(self) -> None:
        self._make: Callable[[], Backend] | None = None
        self._made: Backend | None = None
        self._making = threading.Lock()

    def use(self, backend: str, model: ModelOptions, *, on_hang: Callable[[], None]) -> None:
        """Looks at no model and at none of its options yet: a worker that only merges has neither. Pages are read as many at a time as the
        model takes in a batch."""
        kind = backend_class(backend)
        self.lane, self.together = kind.lane, model.batch

        def make() -> Backend:
            made = kind(model)
            made.on_hang = on_hang
            return made

        self._make = make

    def read(self, pages: Sequence[Page], schema: type[BaseModel], *, job: Job, space: Workspace) -> Reading | Failure:
        """A candidate for every value that the model gives. Where it gives no answer that can be accepted, a Failure that says what the
        attempts have cost.

        A model of grade `caption` describes pictures and invents what it cannot read: asking it for a schema is a UsageError. Raises
        SchemaError for a schema that cannot be asked of a model, PageError where the page has no image, and what the backend raises.
        """
        (page,) = pages
        backend = self._document_backend()
        backend.admit()
        wire = compile_wire(schema)
        words = load_words(page, space) or Words.none(page)
        dpi = page.dpi or job.options.dpi
        seen = shown(page, words, backend, dpi=dpi, hint=job.options.hint, redact=job.options.redact, space=space)
        inquiry = Inquiry(backend, schema, words, dpi, hint=seen.hint, shots=shots(schema, backend), account=job.account)
        try:
            answers = inquiry.read(list(parts(seen.image, dpi, backend)))
        except DocpipeError as problem:
            if problem.retryable or isinstance(problem, UsageError | BudgetError) or not (inquiry.spent or seen.sent):
                raise
            return Failure(
                engine=self.name,
                pages=(page.number,),
                code=problem.code,
                message=problem.message,
                usage=inquiry.usage,
                sent=seen.sent,
            )
        found = list(candidates(joined(answers, wire.specs), wire.specs, words, model=inquiry.model or "", hinted=seen.hint is not None))
        return Reading(
            engine=self.name,
            model=inquiry.model,
            pages=(page.number,),
            candidates=(*found, *of_page(found, fields_of(schema))),
            usage=inquiry.usage,
            issues=tuple(inquiry.issues),
            sent=seen.sent,
        )

    def _document_backend(self) -> Backend:
        if self._make is None:
            raise UsageError("the vlm engine was not told which backend to use")
        with self._making:
            backend = self._made = self._made or self._make()
        if backend.ability.grade == "caption":
            raise UsageError(
                f"the model of {backend.name} describes pictures, it does not read documents",
                hint="name a document model, or use docpipe caption",
            )
        return backend
