"""Documents for an index, made of lines of text; and what the search tests share."""

import hashlib
from collections.abc import Sequence

import numpy as np

from docpipe.records import Document, Word, Words
from docpipe.search import Answer, Entry, Facts, FieldValue, PageEntry


def page(number: int, *lines: str, look: Sequence[float] | None = None) -> PageEntry:
    """Each word 40 points wide and 10 high; `look` is made as long as a vector has to be."""
    words = [
        Word(text, 50 + 45 * place, 100 + 20 * row, 90 + 45 * place, 110 + 20 * row, line=row)
        for row, line in enumerate(lines)
        for place, text in enumerate(line.split())
    ]
    vector = None if look is None else (np.array(look) / np.linalg.norm(look)).astype(np.float32)
    return PageEntry(Words(page=number, width=595, height=842, source="text_layer", words=tuple(words)), vector)


def entry(name: str, *pages: PageEntry | str, fields: dict[str, str] | None = None, schema: str = "invoice", **more) -> Entry:
    """A document, whose content is its name; a text is a page of one line."""
    made = tuple(page(number, one) if isinstance(one, str) else one for number, one in enumerate(pages, 1))
    sha256 = hashlib.sha256(name.encode()).hexdigest()
    facts = () if fields is None else (says(fields, schema=schema),)
    more.setdefault("facts", facts)
    more.setdefault("embedder", "test" if any(one.look is not None for one in made) else None)
    return Entry(document=Document(name=name, sha256=sha256, media_type="application/pdf", pages=len(made)), pages=made, **more)


def says(fields: dict[str, str], *, schema: str = "invoice", status: str = "accepted", **more) -> Facts:
    """What a result says."""
    values = tuple(FieldValue(path=path, value=value, page=1) for path, value in fields.items())
    return Facts(
        schema_name=schema, status=status, sha256=hashlib.sha256(repr((fields, status)).encode()).hexdigest(), fields=values, **more
    )


def places(answers: list[Answer]) -> list[tuple[str, int | None]]:
    """Names and pages, the best first."""
    return [(answer.document.name, answer.page) for answer in answers]
