"""What flows through the pipeline: frozen records, hand-constructible, JSON both ways.

Knows shapes and units only; no record opens a file, reads a page or judges a value.

Units, everywhere: page numbers are 1-based; a box is `(x0, y0, x1, y1)` in points (1/72 inch) of the upright page, origin top
left; money and quantities are decimal strings; dates are ISO 8601; text is NFC.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter
from pydantic import Field as Attribute

CONTRACT = "1.0"
DEFAULT_BACKEND = "qwen_vl"
Box = tuple[float, float, float, float]
Value = str | bool | None
Status = Literal["accepted", "review", "failed"]
PageStatus = Literal["done", "blank", "failed"]
TextLayer = Literal["trusted", "partial", "untrusted", "none"]
WordSource = Literal["text_layer", "ocr", "mixed", "none"]
PageKind = Literal["content", "cover", "terms", "blank", "separator"]
DateOrder = Literal["day_first", "month_first"]
DataT = TypeVar("DataT")  # unbound on purpose: a bare `Result` then keeps `data` as the plain object when it is read back


class Record(BaseModel):
    """Frozen, and a misspelt key is an error. Change = `model_copy(update=...)`."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


# ---- the job ---------------------------------------------------------------------------------------------------------


class Document(Record):
    """The file as it came in; `name` is its base name, never a path. `repaired`: it was damaged, and what could be saved of it was read."""

    name: str
    sha256: str
    media_type: str
    pages: int = 0
    repaired: bool = False


class SchemaRef(Record):
    """Which schema, by the name it was asked for, and the hash of what it means."""

    name: str
    sha256: str


NO_SCHEMA = SchemaRef(name="", sha256="")  # of a job whose document is looked at, asked about or indexed, and not read


class ReadOptions(Record):
    """What changes a reading, and so takes part in the hash that resuming compares. `backend` is asked by the engines that need a model,
    which are told the page's words where `hint` says so; `redact` names who blacks out what must not leave this machine. `split` is how a
    packet is cut, and `classifiers` say what a page is, where the schema is to be chosen or the document to be cut."""

    engines: tuple[str, ...] = ("einvoice", "labels")
    ocr: str = "ppocr"
    backend: str = DEFAULT_BACKEND
    languages: tuple[str, ...] = ()
    dpi: int = 200
    pages: tuple[int, ...] = ()
    formats: tuple[str, ...] = ()
    hint: bool = False
    redact: str = ""
    split: str = Attribute("never", exclude_if=lambda value: value == "never")
    classifiers: tuple[str, ...] = Attribute(("words",), exclude_if=lambda value: value == ("words",))


class Account(Record):
    """Whom a model is asked for: what its calls cost is counted against the job and the tenant."""

    job: str = ""
    tenant: str = ""


NOBODY = Account()


class Job(Record):
    """One document to be read with one schema. Holds no password: that travels as an argument."""

    id: str
    source: Path
    document: Document
    schema_ref: SchemaRef
    options: ReadOptions = ReadOptions()
    account: Account = NOBODY


# ---- pages and words -------------------------------------------------------------------------------------------------


class Quality(Record):
    """Measured on the page image: `blur` is the Laplacian variance after smoothing (sharp > 60 at 200 dpi), `contrast` the spread
    between dark and light in 0..1, `text_height` the median height of a letter in points."""

    blur: float
    contrast: float
    text_height: float | None = None


class Tile(Record):
    """A part of the page image: `x0, y0, x1, y1` in pixels of that image, and the size in pixels it is handed on at."""

    x0: int
    y0: int
    x1: int
    y1: int
    width: int
    height: int


class Page(Record):
    """One page, upright and deskewed. `image` names a file of the workspace, at `dpi`, or is None where none was needed yet.

    `rotation` is the clockwise turn in degrees, `skew` the further angle in degrees, that made the page upright. One that is known to be of
    another `kind` than content has nothing to extract.
    """

    number: int
    width: float
    height: float
    status: PageStatus = "done"
    rotation: Literal[0, 90, 180, 270] = 0
    skew: float = 0.0
    dpi: float | None = None
    image: str | None = None
    tiles: tuple[Tile, ...] = ()
    text_layer: TextLayer = "none"
    text_layer_reason: str = ""
    image_boxes: tuple[Box, ...] = ()
    quality: Quality | None = None
    kind: PageKind = "content"
    error: str | None = None


class Word(NamedTuple):
    """One printed word. `line` counts the page's text lines in reading order; `confidence` is 1 for a trusted text layer."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    confidence: float = 1.0
    line: int = 0


class Ruling(NamedTuple):
    """A straight printed line, horizontal or vertical."""

    x0: float
    y0: float
    x1: float
    y1: float


class Checkbox(NamedTuple):
    """A small printed square and how much of its inside is inked, 0..1; a form field's own state is 0 or 1."""

    x0: float
    y0: float
    x1: float
    y1: float
    ink: float


class Words(Record):
    """Everything read off one page: its words in reading order, its ruling lines and its check boxes. `strokes` are lines that run
    neither along nor down the page, curves from end to end, and lines that were put over the text as annotations."""

    page: int
    width: float
    height: float
    source: WordSource
    engine: str | None = None
    words: tuple[Word, ...] = ()
    rulings: tuple[Ruling, ...] = ()
    checkboxes: tuple[Checkbox, ...] = ()
    strokes: tuple[Ruling, ...] = ()

    @classmethod
    def none(cls, page: Page) -> Words:
        """Of a page that nothing was read off."""
        return cls(page=page.number, width=page.width, height=page.height, source="none")


# ---- readings --------------------------------------------------------------------------------------------------------


class Evidence(Record):
    """Why a candidate was proposed: the label it stands beside, how it stands to it, and how well each part fits.

    `relation` is one of: same (in the label's own cell), right, below, cell, column, block, header, tick, xml, model, none.
    `label_score` 0..1 is how surely the printed text is the schema's label (1 = exact), `fit` 0..1 how well the text has the field's type.
    `features` are further numbers that the confidence model reads, by name.
    """

    relation: str = "none"
    label: str | None = None
    label_box: Box | None = None
    label_score: float = 0.0
    fit: float = 0.0
    features: dict[str, float] = {}


class Candidate(Record):
    """One value that one engine proposes for one field. `raw` is as printed; `value` is normalized, or None where that is left to
    validation. `score` ranks the candidates of one engine for one path; higher is better, no further meaning."""

    path: str
    value: Value = None
    raw: str | None = None
    page: int | None = None
    box: Box | None = None
    engine: str
    model: str | None = None
    score: float = 0.0
    grounded: bool = True
    evidence: Evidence = Evidence()


class Locale(Record):
    """How the document writes numbers and dates; None where nothing decides it."""

    decimal: Literal[".", ","] | None = None
    date_order: DateOrder | None = None


class Usage(Record):
    """What an engine's calls cost."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = None

    @classmethod
    def total(cls, parts: Iterable[Usage]) -> Usage:
        """What they cost together; the order does not matter."""
        spent = list(parts)
        costs = sorted(part.cost_usd for part in spent if part.cost_usd is not None)
        return cls(
            calls=sum(part.calls for part in spent),
            prompt_tokens=sum(part.prompt_tokens for part in spent),
            completion_tokens=sum(part.completion_tokens for part in spent),
            cost_usd=sum(costs) if costs else None,
        )


class Issue(Record):
    """Something a person should know about the result; an error keeps it from being accepted."""

    code: str
    severity: Literal["error", "warning"] = "warning"
    path: str | None = None
    page: int | None = None
    message: str = ""
    suggestion: str | None = None


class Sent(Record):
    """What went to another machine: the images of these pages, whole or `redacted`, and their words too where `words` says so."""

    host: str
    pages: tuple[int, ...]
    words: bool = False
    redacted: bool = False


class Reading(Record):
    """What one engine read from one or more pages: rival candidates, best first per path.

    Line items carry their row in the path, `line_items[0].amount`; rows are numbered in document order within the reading.
    """

    kind: Literal["reading"] = "reading"
    engine: str
    model: str | None = None
    pages: tuple[int, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    locale: Locale = Locale()
    usage: Usage = Usage(calls=1)
    issues: tuple[Issue, ...] = ()
    sent: Sent | None = None


class Failure(Record):
    """An engine could not read these pages; `code` is an error class's code, `after` the seconds it asks to wait before another try,
    `usage` what was spent in vain."""

    kind: Literal["failure"] = "failure"
    engine: str
    pages: tuple[int, ...] = ()
    code: str
    message: str = ""
    retryable: bool = False
    after: float = 0.0
    usage: Usage = Usage(calls=1)
    sent: Sent | None = None


Outcome = Annotated[Reading | Failure, Attribute(discriminator="kind")]
OUTCOMES: TypeAdapter[list[Outcome]] = TypeAdapter(list[Outcome])


class Readings(Record):
    """All that validation needs, in one file: `docpipe validate` replays it without the document."""

    job: Job
    pages: tuple[PageSummary, ...]
    outcomes: tuple[Outcome, ...]


# ---- what a document is ----------------------------------------------------------------------------------------------


class Sign(Record):
    """Printed text that speaks for a class (`weight` > 0) or against it; the weight is in natural log-odds, its share of what all signs of
    its sort came to. `meaning` is the field or the phrase that the text was taken for. What the whole page says (value, shape) has neither
    text nor box."""

    class_name: str
    sort: Literal["title", "label", "phrase", "word", "value", "shape", "other_title"]
    text: str
    meaning: str = ""
    page: int | None = None
    box: Box | None = None
    weight: float = 0.0


class Classified(Record):
    """What the document was taken for, so that its schema was chosen: a class or `unknown`, the probability of each, and what spoke for
    and against the likeliest."""

    choice: str
    score: float
    scores: dict[str, float] = {}
    signs: tuple[Sign, ...] = ()


class CutSign(Record):
    """Why a document begins at `page` (`weight` > 0, natural log-odds) or an earlier one goes on there. `text` is what is printed at `box`,
    where anything is."""

    sort: Literal["page_number", "number", "party", "title", "layout", "size", "class", "separator", "blank", "code", "asked"]
    text: str = ""
    page: int
    box: Box | None = None
    weight: float = 0.0


class Part(Record):
    """One document of a packet, number `number` `of` so many. `pages` are its pages by the packet's numbers, in order: the first of them is
    its own page 1. `score` is the probability that a document begins there, `signs` what spoke for and against it, strongest first."""

    number: int
    of: int
    pages: tuple[int, ...]
    score: float = 1.0
    signs: tuple[CutSign, ...] = ()


class Route(Record):
    """What sorting made of one document of a file: the schema to read it with, what it was taken for where that was chosen, and which part
    it is where the file holds several. `issues` go into its result; an error among them keeps it from being accepted."""

    schema_ref: SchemaRef
    classified: Classified | None = None
    part: Part | None = None
    issues: tuple[Issue, ...] = ()


# ---- the result ------------------------------------------------------------------------------------------------------


class PageSummary(Record):
    """A page as the result shows it."""

    number: int
    status: PageStatus
    words: WordSource = "none"
    rotation: int = 0
    skew: float = 0.0
    dpi: float | None = None
    tiles: int = 1
    width: float = 0.0
    height: float = 0.0
    kind: PageKind = Attribute("content", exclude_if=lambda value: value == "content")
    error: str | None = None


class Alternative(Record):
    """A losing candidate."""

    value: Value
    raw: str | None = None
    page: int | None = None
    box: Box | None = None
    engine: str


class Field(Record):
    """One value of the result and where it comes from. `confirmed_by` names the rules that hold for it, such as
    `sum:gross_total`, `checksum:iban`, `agree:einvoice+labels`, `label`; empty when nothing but its confidence speaks for it."""

    path: str
    value: Value
    raw: str | None = None
    page: int | None = None
    box: Box | None = None
    engine: str
    model: str | None = None
    confidence: float
    grounded: bool = True
    label: str | None = None
    label_box: Box | None = None
    confirmed_by: tuple[str, ...] = ()
    alternatives: tuple[Alternative, ...] = ()


class ResultUsage(Record):
    """What the whole document cost, and what of it went to other machines."""

    pages: int = 0
    by_engine: dict[str, Usage] = {}
    sent: tuple[Sent, ...] = ()


class Producer(Record):
    """The versions that made the result: of docpipe, of each engine, of each model."""

    docpipe: str
    engines: dict[str, str] = {}
    models: dict[str, str] = {}


class Result(Record, Generic[DataT]):
    """The contract with consumers. `data` is the schema's own class where it validates, else the plain JSON object.

    `classified` is there where the schema was chosen for the document (`auto`), and left out of the JSON where it was named; `part` where
    the document is one of several in its file. `parts` are the results of a file that holds several: it has no values of its own then.
    `retryable`: a page or an engine failed for a reason that another try may not meet again, such as memory or a deadline.
    `job`, `timing` and `retryable` stand outside `canonical_json()`, the form that is hashed and compared.
    """

    contract: str = CONTRACT
    status: Status
    document: Document
    schema_ref: SchemaRef = Attribute(alias="schema")
    data: DataT | dict[str, Any]
    fields: tuple[Field, ...] = ()
    issues: tuple[Issue, ...] = ()
    pages: tuple[PageSummary, ...] = ()
    usage: ResultUsage = ResultUsage()
    producer: Producer
    classified: Classified | None = Attribute(None, exclude_if=lambda value: value is None)
    part: Part | None = Attribute(None, exclude_if=lambda value: value is None)
    parts: tuple[Result, ...] = Attribute((), exclude_if=lambda value: not value)  # type: ignore[type-arg]  # bare, as DataT says
    job: str = ""
    timing: dict[str, float] = {}
    retryable: bool = False

    def documents(self) -> tuple[Result[Any], ...]:
        """Each document that was read: the parts of a packet, else this one."""
        return self.parts or (self,)

    def to_json(self, *, indent: int | None = 2) -> str:
        """The result as consumers get it."""
        return self.model_dump_json(by_alias=True, indent=indent)

    def canonical_json(self) -> str:
        """The result without what differs from run to run."""
        apart: Any = {"job", "timing", "retryable"}
        return self.model_dump_json(by_alias=True, exclude={**dict.fromkeys(apart, True), "parts": {"__all__": apart}})

    def sha256(self) -> str:
        """The hash of the canonical form: the same for the same reading of the same document."""
        return hashlib.sha256(self.canonical_json().encode()).hexdigest()


Readings.model_rebuild()
