"""A question -> the fields of a request for a chat completion. Knows options and the two dialects; no server.

What differs between servers is a rule about options, never a list of models:

- `openai`: `max_completion_tokens`, and of a schema what strict mode takes (`strict`).
- `open`: `max_tokens`, and the schema whole, since lengths keep a small model from looping within a text.
- With `effort` the model thinks: no temperature, no probabilities, and room to think.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from docpipe.backends import ApiOptions, Question
from docpipe.backends._api.strict import strict
from docpipe.backends._families import Family

if TYPE_CHECKING:
    from PIL.Image import Image

THINKING = 8192  # tokens that a model may think for beside its answer; they count as its answer's
# The side in pixels of the square that an image is fitted into by each `detail`; a larger one would be shrunk by OpenAI's server.
SIDES = {"low": 512, "high": 2048, "auto": 2048, "original": 6000}


def fit(width: int, height: int, options: ApiOptions, *, pixels: int | None) -> tuple[int, int]:
    """The size at which an image is sent: never larger than it is; within `pixels`, or without such a bound within the square of its
    `detail`. With `ApiOptions.square` the nearest size in whole squares."""
    side = SIDES[options.detail]
    if options.square:
        return Family(options.square, least=options.square**2, most=pixels or side**2, coordinates="pixels").fit(width, height)
    shrink = min(1.0, math.sqrt(pixels / (width * height)) if pixels else side / max(width, height))
    return max(1, int(width * shrink)), max(1, int(height * shrink))


def thinks(options: ApiOptions) -> bool:
    """Whether the model thinks before it answers."""
    return options.effort not in ("", "none")


def most_tokens(question: Question, options: ApiOptions) -> int:
    """What the answer may take, with what is thought before it."""
    return question.most_tokens + (THINKING if thinks(options) else 0)


def request(question: Question, *, model: str, options: ApiOptions, openai: bool) -> dict[str, Any]:
    """The fields. Raises SchemaError for a schema that strict mode does not take."""
    room = most_tokens(question, options)
    fields: dict[str, Any] = {
        "model": model,
        "messages": list(_messages(question, options)),
        "max_completion_tokens" if openai else "max_tokens": room,
        "stream_options": {"include_usage": True},
    }
    if options.effort:
        fields["reasoning_effort"] = options.effort
    if not thinks(options):
        fields["temperature"] = 0
        fields |= {"logprobs": True} if options.logprobs else {}
    if question.schema is not None and options.structured != "none":
        fields["response_format"] = _format(question.schema, options, openai=openai)
    return {name: value for name, value in (fields | options.extra).items() if value is not None}


def _format(schema: Any, options: ApiOptions, *, openai: bool) -> dict[str, Any]:
    if options.structured == "json_object":
        return {"type": "json_object"}
    asked = strict(schema) if openai else dict(schema)
    return {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": asked}}


def _messages(question: Question, options: ApiOptions) -> Iterator[dict[str, Any]]:
    """System, examples and question as the turns of a talk; images stand before the text of their turn."""
    if question.system:
        yield {"role": "system", "content": question.system}
    for shot in question.shots:
        yield _turn(shot.text, shot.images, options)
        yield {"role": "assistant", "content": shot.answer}
    yield _turn(question.text, question.images, options)


def _turn(text: str, images: Sequence[Image], options: ApiOptions) -> dict[str, Any]:
    shown = [
        {"type": "image_url", "image_url": {"url": _address(image, options.jpeg_quality), "detail": options.detail}} for image in images
    ]
    return {"role": "user", "content": [*shown, {"type": "text", "text": text}]}


def _address(image: Image, quality: int) -> str:
    """The image as a data: address. Colour is not thinned out: red small print on white would blur."""
    written = io.BytesIO()
    image.save(written, "JPEG", quality=quality, subsampling=0)
    return f"data:image/jpeg;base64,{base64.b64encode(written.getvalue()).decode()}"
