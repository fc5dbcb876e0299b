"""What is asked of every document of a call: schema, options, limits; and who a job is. Knows no stage and opens no document."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import Field

from docpipe.backends import ModelOptions
from docpipe.fields import DEFAULT_SCHEMA
from docpipe.limits import Limits
from docpipe.records import Document, ReadOptions, Record, SchemaRef
from docpipe.settings import Settings

WITHOUT_MODEL = frozenset({"einvoice", "labels"})
# Of a model's options; the others change its pace or its price.
READS_DIFFERENTLY: dict[str, Any] = dict.fromkeys(("model", "revision", "dtype", "quantization", "pixels"), True)
READS_DIFFERENTLY["api"] = {"url", "version", "detail", "square", "jpeg_quality", "structured", "effort", "extra"}


class Request(Record):
    """One call's wishes. `schema_name` is a reference as `load_schema` takes it; `cache` the folder for prepared model files, `model` what
    the backend asks, `checkpoints` where the models of classifiers lie. Holds no password."""

    schema_name: str = DEFAULT_SCHEMA
    options: ReadOptions = ReadOptions()
    limits: Limits = Limits()
    cache: Path | None = None
    model: ModelOptions = ModelOptions()
    checkpoints: dict[str, str] = Field(default_factory=dict)


def make_request(
    settings: Settings,
    *,
    schema_name: str = DEFAULT_SCHEMA,
    engines: Sequence[str] | None = None,
    ocr: str | None = None,
    backend: str | None = None,
    languages: Sequence[str] | None = None,
    pages: Sequence[int] = (),
    formats: Sequence[str] = (),
    dpi: int | None = None,
    redact: str | None = None,
    split: str | None = None,
    classifiers: Sequence[str] | None = None,
) -> Request:
    """A call's wishes: what is given, else what the settings say. Raises UsageError where `split` is no way to cut."""
    if split is not None:
        from docpipe.splitting import read_plan  # what cuts and tells apart is loaded by those who ask for it

        split = str(read_plan(split))
    options = ReadOptions(
        engines=ReadOptions().engines if engines is None else tuple(engines),
        ocr=settings.ocr if ocr is None else ocr,
        backend=settings.backend if backend is None else backend,
        languages=settings.languages if languages is None else tuple(languages),
        dpi=settings.dpi if dpi is None else dpi,
        pages=tuple(sorted(set(pages))),
        formats=tuple(formats),
        hint=settings.hint,
        redact=settings.redact if redact is None else redact,
        split=split or ReadOptions().split,
        classifiers=ReadOptions().classifiers if classifiers is None else tuple(classifiers),
    )
    return Request(
        schema_name=schema_name,
        options=options,
        limits=settings.limits(),
        cache=settings.cache,
        model=settings.model,
        checkpoints=settings.checkpoints,
    )


def job_id(document: Document, schema: SchemaRef, options: ReadOptions, model: ModelOptions | None = None) -> str:
    """The same document read with the same schema and options is the same job, wherever it runs; with `model`, where an engine may ask one,
    by the same model."""
    said = [document.sha256, schema.sha256, options.model_dump_json()]
    if model is not None and set(options.engines) - WITHOUT_MODEL:
        said.append(model.model_dump_json(include=READS_DIFFERENTLY))
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:32]
