"""What is asked of every document of a call: schema, options, limits; and who a job is. Knows no stage and opens no document."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from docpipe.fields import DEFAULT_SCHEMA
from docpipe.limits import Limits
from docpipe.records import Document, ReadOptions, Record, SchemaRef
from docpipe.settings import Settings


class Request(Record):
    """One call's wishes. `schema_name` is a reference as `load_schema` takes it; `cache` the folder for prepared model files. Holds no
    password."""

    schema_name: str = DEFAULT_SCHEMA
    options: ReadOptions = ReadOptions()
    limits: Limits = Limits()
    cache: Path | None = None

    def sha256(self) -> str:
        """The hash of everything but the schema that can change a result; the schema has a hash of its own."""
        return _sha256(self.model_dump_json(include={"options", "limits"}))


def make_request(
    settings: Settings,
    *,
    schema_name: str = DEFAULT_SCHEMA,
    engines: Sequence[str] | None = None,
    ocr: str | None = None,
    languages: Sequence[str] | None = None,
    pages: Sequence[int] = (),
    formats: Sequence[str] = (),
    dpi: int | None = None,
) -> Request:
    """A call's wishes: what is given, else what the settings say."""
    options = ReadOptions(
        engines=ReadOptions().engines if engines is None else tuple(engines),
        ocr=settings.ocr if ocr is None else ocr,
        languages=settings.languages if languages is None else tuple(languages),
        dpi=settings.dpi if dpi is None else dpi,
        pages=tuple(sorted(set(pages))),
        formats=tuple(formats),
    )
    return Request(schema_name=schema_name, options=options, limits=settings.limits(), cache=settings.cache)


def job_id(document: Document, schema: SchemaRef, options: ReadOptions) -> str:
    """The same document read with the same schema and options is the same job, wherever it runs."""
    return _sha256("\n".join((document.sha256, schema.sha256, options.model_dump_json())))[:32]


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
