"""The only reader of the environment: DOCPIPE_ variables, each with a default; an empty one is not set. Read by the CLI and the workers,
passed on as arguments."""

from __future__ import annotations

import os
import re
from pathlib import Path

from pydantic import ByteSize, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as NoJson

from docpipe.backends import ModelOptions
from docpipe.errors import SettingsError
from docpipe.limits import Limits
from docpipe.records import DEFAULT_BACKEND

_STATE = Path.home() / ".local" / "state" / "docpipe"


class Settings(BaseSettings):
    """`DOCPIPE_PAGE_SECONDS=30` and so on; `docpipe run --help` lists what a call can override."""

    model_config = SettingsConfigDict(env_prefix="DOCPIPE_", env_nested_delimiter="__", frozen=True, extra="ignore", env_ignore_empty=True)

    max_bytes: ByteSize = Field(Limits.model_fields["file_bytes"].default, description="largest file that is opened")
    max_pages: int = Field(Limits.model_fields["pages"].default, ge=1, description="most pages of a document")
    max_pixels: int = Field(Limits.model_fields["pixels"].default, ge=10_000, description="most pixels of a page image")
    page_seconds: float = Field(Limits.model_fields["page_seconds"].default, gt=0, description="deadline for one page's rendering")
    document_seconds: float = Field(Limits.model_fields["document_seconds"].default, gt=0, description="deadline for opening")
    patience: float = Field(Limits.model_fields["patience"].default, ge=0, description="seconds to wait for a model that is busy or away")
    memory: ByteSize = Field(Limits.model_fields["memory_bytes"].default, description="memory of the rendering process")
    ocr: str = Field("ppocr", description="OCR engine: a bare name, module:Class or path.py:Class")
    languages: tuple[str, ...] = Field((), description="languages of the documents, as two-letter codes; empty = unknown")
    dpi: int = Field(200, ge=72, le=600, description="resolution pages are rendered at")
    formats: tuple[str, ...] = Field((), description="input formats of your own, as module:Class or path.py:Class")
    backend: str = Field(DEFAULT_BACKEND, description="what asks the model: a bare name, module:Class or path.py:Class")
    model: ModelOptions = Field(ModelOptions(), description="which model: DOCPIPE_MODEL__MODEL is its folder or id, and so on")
    checkpoints: dict[str, str] = Field(
        {}, description="where the models of classifiers lie: DOCPIPE_CHECKPOINTS__CLIP is a folder or owner/name@commit"
    )
    hint: bool = Field(False, description="tell the model the page's words, as they were read without it")
    redact: str = Field("", description="who blacks out what no other machine may see: a bare name, module:Class or path.py:Class")
    index: str = Field(f"sqlite:///{_STATE / 'search.sqlite'}", description="the search index: sqlite:/// or postgresql+psycopg://")
    looks: str = Field("", description="who says what pages look like: a bare name, module:Class or path.py:Class; or NAME=CHECKPOINT")
    cache: Path = Field(Path.home() / ".cache" / "docpipe", description="folder for prepared model files")

    ledger: str = Field(f"sqlite:///{_STATE / 'ledger.sqlite'}", description="the queue's database: sqlite:/// or postgresql+psycopg://")
    store: str = Field(str(_STATE / "store"), description="where the queue keeps files: a folder, s3://, gs:// or abfs://")
    broker: str = Field("redis://127.0.0.1:6379/0", description="the Redis that carries the queue's messages")
    prefix: str = Field("docpipe:", description="what every key of ours in that Redis begins with")
    tenant: str = Field("default", description="who submits, where a call does not say")
    packages: tuple[str, ...] = Field((), description="packages whose schemas, engines and formats jobs may name")
    plugins: Path | None = Field(None, description="folder of schema and plug-in files that jobs may name")
    tenant_jobs: int = Field(10_000, ge=1, description="most unfinished jobs of a tenant")
    backlog: int = Field(100_000, ge=1, description="most unfinished jobs of all tenants")
    free_disk: ByteSize = Field(ByteSize(1024**3), description="room that a local store keeps free")
    lease: float = Field(120.0, gt=0, description="seconds a worker's claim lasts unless it is renewed; all machines have the same")
    job_seconds: float | None = Field(None, gt=0, description="the most a job may take until it has an outcome")
    webhook_secrets: tuple[SecretStr, ...] = Field(
        (), description="secrets that webhooks are signed with, whsec_...; two while they rotate"
    )
    outbound_allowed: tuple[str, ...] = Field((), description="networks and hosts that may be called although they are not public")
    outbound_http: bool = Field(False, description="call http:// addresses as well")
    metrics: str | None = Field(None, pattern=r"^\S+:\d{1,5}$", description="where the dispatcher serves metrics, such as 0.0.0.0:9464")

    def limits(self) -> Limits:
        """The limits of these settings, as preprocessing takes them."""
        return Limits(
            file_bytes=self.max_bytes,
            pages=self.max_pages,
            pixels=self.max_pixels,
            page_seconds=self.page_seconds,
            document_seconds=self.document_seconds,
            memory_bytes=self.memory,
            patience=self.patience,
        )


def read_settings() -> Settings:
    """Settings from the environment; raises SettingsError naming the variable."""
    try:
        return Settings()
    except ValidationError as problem:
        first = problem.errors()[0]
        parts = [part for part in first["loc"] if isinstance(part, str)]  # of a list the variable holds all
        raise SettingsError(f"DOCPIPE_{'__'.join(parts).upper()}: {first['msg']}") from problem
    except NoJson as problem:
        name = re.search(r'field "(\w+)"', str(problem))
        raise SettingsError(
            f"DOCPIPE_{name[1].upper() if name else ''}: {problem.__cause__ or problem}", hint="write it as JSON"
        ) from problem


def sends_traces() -> bool:
    """Whether OpenTelemetry's own variables say where traces are sent."""
    places = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
    return any(os.environ.get(place) for place in places) and os.environ.get("OTEL_TRACES_EXPORTER") != "none"
