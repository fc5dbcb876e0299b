"""What a call costs: its tokens before it is made, its money before and after. The figures are data: `prices.json` beside this file, and a
file of the user's over it. Knows no API; a model that the data does not have has no price, never a made-up one.

The file of prices, whose entries replace the built-in ones of the same name:

    {"images": {"mine": {"way": "patches", "patch": 28, "multiplier": "1"}},
     "models": {"qwen*": {"image": "mine", "input": "0", "output": "0", "date": "2026-11-26"}}}

A model is found by its name, with or without `-latest` or the date of a snapshot; `qwen*` stands for all that begin so.
"""

from __future__ import annotations

import functools
import re
from decimal import Decimal
from pathlib import Path

from pydantic import Field, ValidationError

from docpipe.backends._api.images import Patches, Rule
from docpipe.errors import UsageError
from docpipe.records import Record

MILLION = 1_000_000
OVERHEAD = 16  # tokens that a chat puts around its messages (OpenAI's cookbook counts 3 each and 3 for the answer)
# For a model that nobody described: more than any model's count for a page, gpt-4o-mini's apart. 28 pixels are Qwen-VL's smallest patches.
CAREFUL = Patches(multiplier=Decimal("1.25"), patch=28, base=300)

_SNAPSHOT = re.compile(r"-(latest|\d{4}-\d{2}-\d{2})$")
_PIECES = re.compile(r"(?P<letters>[A-Za-z]+)|(?P<digits>\s?[0-9]+)|(?P<space>\s+)|(?P<other>.)", re.DOTALL)


class Price(Record):
    """What a million tokens of a model cost in USD, as of `date`; where `cached` is not given, cached tokens cost what others do. `image`
    names the rule by which it counts images; None: not known."""

    image: str | None = None
    input: Decimal = Field(ge=0)
    cached: Decimal | None = Field(None, ge=0)
    output: Decimal = Field(ge=0)
    date: str


class Prices(Record):
    """The rules for images and the models that are known."""

    about: str = ""
    images: dict[str, Rule] = Field(default_factory=dict)
    models: dict[str, Price] = Field(default_factory=dict)

    def price(self, model: str) -> Price | None:
        """A model's price; None where it is not known."""
        name = model.lower()
        whole = self.models.get(name) or self.models.get(_SNAPSHOT.sub("", name))
        if whole is not None:
            return whole
        begins = [known for known in self.models if known.endswith("*") and name.startswith(known[:-1])]
        return self.models[max(begins, key=len)] if begins else None

    def rule(self, model: str) -> Rule:
        """How a model counts images; a careful guess where that is not known."""
        price = self.price(model)
        return CAREFUL if price is None or price.image is None else self.images[price.image]


class Estimate(Record):
    """What a call may cost at the most: its tokens, as far as they can be counted without the model's own tokenizer, and its money; None
    where the model has no known price."""

    prompt_tokens: int
    most_cost_usd: Decimal | None


def load_prices(path: Path | None = None) -> Prices:
    """The built-in prices, with a user's file over them. Raises UsageError where that cannot be read, or names a rule that is not there."""
    known = _builtin()
    if path is None:
        return known
    own = _read(path)
    models = {name.lower(): price for name, price in own.models.items()}
    both = Prices(images={**known.images, **own.images}, models={**known.models, **models})
    for name, price in both.models.items():
        if price.image is not None and price.image not in both.images:
            raise UsageError(f"the model {name} counts images by {price.image!r}, which is no rule", file=path.name)
    return both


def image_tokens(width: int, height: int, *, model: str, detail: str, prices: Prices | None = None) -> int:
    """The tokens that an image of so many pixels costs with a model, at the detail `low`, `high`, `original` or `auto`."""
    return (prices or _builtin()).rule(model).tokens(width, height, detail)


def text_tokens(text: str) -> int:
    """The tokens of a text, estimated without a tokenizer and rather too many: one for 4 letters of a word or less, for 3 digits or less,
    for a sign, for blanks that are more than one space or stand before a number, and for 2 bytes of anything beyond ASCII."""
    return sum(_weight(found.lastgroup or "", found.group()) for found in _PIECES.finditer(text))


def cost(model: str, *, prompt_tokens: int, completion_tokens: int, cached_tokens: int = 0, prices: Prices | None = None) -> Decimal | None:
    """What a call cost in USD, by the numbers of its `usage`: `cached_tokens` are among the prompt's, and tokens of thought among those of
    the completion. None where the model has no known price."""
    price = (prices or _builtin()).price(model)
    if price is None:
        return None
    cached = price.input if price.cached is None else price.cached
    fresh = max(prompt_tokens - cached_tokens, 0)
    return (fresh * price.input + cached_tokens * cached + completion_tokens * price.output) / MILLION


def _weight(kind: str, piece: str) -> int:
    if kind == "letters":
        return -(-len(piece) // 4)
    if kind == "digits":
        return -(-len(piece.lstrip()) // 3) + piece[0].isspace()
    if kind == "space":
        return int(piece != " ")
    return -(-len(piece.encode("utf-8", "surrogatepass")) // 2)


@functools.cache
def _builtin() -> Prices:
    return _read(Path(__file__).with_name("prices.json"))


def _read(path: Path) -> Prices:
    try:
        return Prices.model_validate_json(path.read_bytes())
    except OSError as problem:
        raise UsageError(f"the file of prices cannot be read: {problem.strerror}", file=path.name) from problem
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(f"this is no file of prices: {where}: {first['msg']}", file=path.name) from problem
