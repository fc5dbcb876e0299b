"""Images and a question -> text. The seam that every vision-language model fills; knows none of them, no schema and no page.

A backend answers once: it does not parse, does not judge and does not try again. Those are the engine's business (`extract/vlm`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from pydantic import Field as Attribute
from pydantic import SecretStr

from docpipe import plugins
from docpipe.errors import UsageError
from docpipe.records import NOBODY, Account, Record, Usage

if TYPE_CHECKING:
    from PIL.Image import Image

HOME = Path(__file__).resolve().parent
Stop = Literal["end", "length", "loop", "refusal"]
Grade = Literal["document", "caption"]
LONGEST_WINDOW = 60.0  # seconds; a batch that waits longer for company is a mistake


class ApiOptions(Record):
    """How a model behind an OpenAI-compatible server is asked. Without a `url` the server is OpenAI's own; `key` is sent to it and shown
    nowhere. With `version`, an Azure api-version, the server is Azure's and the model is the name of a deployment.

    `dialect`: what the server understands of lengths and schemas, `openai` or the `open` one of vLLM and others (docs/api.md); `auto` goes
    by the host. `detail` is the size at which OpenAI looks at images; where the model makes a token of each `square` of so many pixels, an
    image is sent in whole ones. `jpeg_quality` is how it is sent. `logprobs`: ask for the probability of each token. `structured`: how the
    answer's form is asked for. `effort`: how much a model that thinks should think; such a model takes no temperature and gives no
    probabilities. `extra`: further fields of the request, as the server's manual has them; None leaves one out.

    At most `requests` and `tokens` a minute and `calls` at a time, of all who have the same Redis at `shared`, or else of this process.
    A job costs no more than `job_usd`, a tenant in a month than `tenant_usd`, by the built-in prices and the file `prices`. Answers are
    kept in the folder `keep`, of `keep_bytes`, and not paid for again.
    """

    url: str = ""
    key: SecretStr | None = None
    version: str = ""
    dialect: Literal["auto", "openai", "open"] = "auto"
    detail: Literal["low", "high", "original", "auto"] = "high"
    square: int | None = Attribute(None, ge=8, le=128)
    jpeg_quality: int = Attribute(90, ge=1, le=100)
    logprobs: bool = True
    structured: Literal["json_schema", "json_object", "none"] = "json_schema"
    effort: str = ""
    extra: dict[str, Any] = Attribute(default_factory=dict)
    requests: float | None = Attribute(None, gt=0)
    tokens: float | None = Attribute(None, gt=0)
    calls: int | None = Attribute(None, gt=0)
    shared: SecretStr | None = None
    prices: Path | None = None
    job_usd: Decimal | None = Attribute(None, ge=0)
    tenant_usd: Decimal | None = Attribute(None, ge=0)
    keep: Path | None = None
    keep_bytes: int = Attribute(1_000_000_000, gt=0)


class ModelOptions(Record):
    """Which model a backend loads or calls, and how; it lies with whoever reads, never in a job.

    `model` is a folder, the id of a model hub, or a server's name for it; `revision` pins what a hub gives. `pixels` bounds the images that
    it is shown (None: the model's own), `batch` the questions it is asked at a time and `window` the seconds that the first waits for
    others; `seconds` is the most that an answer may take, `loading` the most that loading the model may. `api` is for models behind a
    server. `spool` is a folder in which questions wait for a provider's batches; `docpipe batch` sets it, no environment has to.
    """

    model: str = ""
    revision: str | None = None
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    device: str = "auto"
    attention: Literal["sdpa", "eager", "flash_attention_2"] = "sdpa"
    quantization: Literal["none", "int8", "int4"] = "none"
    pixels: int | None = Attribute(None, ge=1)
    batch: int = Attribute(8, ge=1)
    window: float = Attribute(0.02, ge=0, le=LONGEST_WINDOW)
    seconds: float = Attribute(180.0, gt=0, allow_inf_nan=False)
    loading: float = Attribute(1800.0, gt=0, allow_inf_nan=False)
    offline: bool = False
    api: ApiOptions = ApiOptions()
    spool: Path | None = None


class Ability(Record):
    """What a model can be asked for. A `document` model reads small print and follows a form of answer; a `caption` model says in a
    sentence what a picture shows, and is never asked for a document's fields.

    `constrained`: its answers follow `Question.schema` by force. `few_shot`: it takes examples, each with images. `probabilities`: its
    replies have `tokens`.
    """

    grade: Grade
    constrained: bool = False
    few_shot: bool = False
    probabilities: bool = False


@dataclass(frozen=True)
class Shot:
    """An example: what was asked about these images, and the right answer."""

    images: tuple[Image, ...]
    text: str
    answer: str


@dataclass(frozen=True)
class Question:
    """One call. Images are RGB and of a size that `Backend.fit` gave, so that no pixel is resampled twice. `schema` is a JSON Schema that
    the answer has to follow; `most_tokens` bounds the answer; `account` is whom it is asked for."""

    images: tuple[Image, ...]
    text: str
    system: str = ""
    shots: tuple[Shot, ...] = ()
    schema: Mapping[str, Any] | None = field(default=None, hash=False)
    most_tokens: int = 2048
    account: Account = NOBODY


class Token(NamedTuple):
    """A token of the answer: the bytes of UTF-8 that it adds to the text, its probability before the schema forbade anything, and the sum
    of the probabilities that the schema forbade (0 without one)."""

    size: int
    probability: float
    forbidden: float = 0.0


class Reply(Record):
    """The answer as it came. `stop`: the model ended it, it was cut off at `most_tokens`, it was going round in circles and was cut off, or
    the model would not answer. `model` names the model and its revision."""

    text: str
    stop: Stop
    model: str
    usage: Usage
    tokens: tuple[Token, ...] = ()


class Batches(ABC):
    """A provider's batches, which answer what `ask` put off with BusyError. One process looks after them, while others ask."""

    @abstractmethod
    def look(self, *, idle: bool) -> set[str]:
        """Take up what came and send what waits: whole batches, and all where everybody is `idle`, as they wait for answers. The jobs that
        should ask again. What passes is tried again by the next look; raises DocpipeError for what does not."""

    @property
    @abstractmethod
    def state(self) -> str:
        """What waits where, in a line; empty where nothing does."""

    @abstractmethod
    def forget(self) -> None:
        """Everybody has their answers: keep none."""

    @abstractmethod
    def close(self) -> None:
        """Let go of connections."""


class Backend(ABC):
    """One way to ask a model. Made once per process, safe to call from several threads; the model is loaded by the first question.

    `on_hang` is called once, by one of the threads that wait, where a model hangs in a call that nobody can end: each that waits gets a
    DeadlineError, and so does every later question, so the owner of the process should let it end. `lane` is where its work belongs: with
    a processor of this machine, or with a server that is waited for.
    """

    name: ClassVar[str]
    lane: ClassVar[Literal["gpu", "api"]] = "gpu"

    def __init__(self, options: ModelOptions) -> None:
        """Loads nothing yet. Raises UsageError where the options cannot be meant for it."""
        self.options = options
        self.on_hang: Callable[[], None] = _go_on

    @classmethod
    def circuit(cls, options: ModelOptions) -> Callable[[], bool]:
        """Tells, again and again and cheaply, whether the model is known to be away just now, so that whoever hands out work sends it
        none. Asks no model. Raises UsageError as making the backend does."""
        return lambda: False

    @classmethod
    def batches(cls, options: ModelOptions) -> Batches:
        """The provider's batches, for questions that `ModelOptions.spool` holds back. Raises UsageError where there are none."""
        raise UsageError(f"{cls.name} has no provider that answers in batches", hint="--backend openai_api")

    @property
    def host(self) -> str | None:
        """The machine that questions go to; None for this one."""
        return None

    @property
    @abstractmethod
    def ability(self) -> Ability:
        """What the model can be asked for; may look at the model's configuration, but not load it. Raises EngineError, MissingError."""

    @abstractmethod
    def fit(self, width: int, height: int) -> tuple[int, int]:
        """The size in pixels at which an image of this size is to be handed over: within the pixel budget, in whole patches."""

    @abstractmethod
    def image_tokens(self, width: int, height: int) -> int:
        """The tokens that an image of a size that `fit` gave costs."""

    def admit(self) -> None:
        """Called before work is put into a question. Raises BusyError where it could not be asked just now; may let through what `ask` then
        refuses."""
        return None

    @abstractmethod
    def ask(self, question: Question) -> Reply:
        """The answer. Raises EngineError, BusyError at a rate limit, DeadlineError, ResourceError, MissingError, OutboundError."""

    def close(self) -> None:
        """Let go of the model."""
        return None


def _go_on() -> None:
    return None


def backend_class(reference: str) -> type[Backend]:
    """The class that `reference` names. Raises UsageError where there is none."""
    return plugins.load(reference, Backend, HOME)  # type: ignore[type-abstract]


def load_backend(reference: str, options: ModelOptions) -> Backend:
    """The backend that `reference` names."""
    return backend_class(reference)(options)
