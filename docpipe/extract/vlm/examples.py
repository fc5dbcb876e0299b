"""Examples that a schema's author gives a model: pages with their right answers, in a folder beside the schema's file. Knows no page.

`invoice.examples/one.png` (or .jpg) with `one.json` beside `invoice.py`; the JSON is what the model should have answered about that page,
as printed, null for what is not on it.
"""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image
from pydantic import BaseModel

from docpipe.backends import Backend, Shot
from docpipe.errors import SchemaError
from docpipe.extract.vlm.image import fitted
from docpipe.extract.vlm.parse import misfits
from docpipe.extract.vlm.prompt import ask_for, compact
from docpipe.extract.vlm.wire import compile_wire
from docpipe.fields import examples_of, lone_examples


def shots(schema: type[BaseModel], backend: Backend) -> tuple[Shot, ...]:
    """The schema's examples as this backend takes them; none where it takes no examples. Raises SchemaError for one that is not right."""
    if not backend.ability.few_shot:
        return ()
    if alone := lone_examples(schema):
        raise SchemaError(f"the example {alone[0]} is alone", hint="an image (.png or .jpg) and a JSON file of one name")
    question = ask_for(compile_wire(schema), number=1)
    examples = (_example(schema, picture, answer) for picture, answer in examples_of(schema))
    return tuple(Shot((fitted(image, backend),), question, answer) for image, answer in examples)


def _example(schema: type[BaseModel], picture: Path, answer: Path) -> tuple[Image.Image, str]:
    try:
        said = json.loads(answer.read_bytes())
        with Image.open(picture) as image:
            pixels = image.convert("RGB")
    except (OSError, ValueError) as problem:
        said = str(problem).replace(f"{picture.parent}/", "")
        raise SchemaError(f"the example {answer.stem} cannot be read: {said}", hint="an image and a JSON file of one name") from problem
    wrong = next(misfits(said, compile_wire(schema).schema), None)
    if wrong is not None:
        raise SchemaError(
            f"the example {answer.name}: {wrong[0] or 'the answer'} {wrong[1]}", hint="give every field, null where it is not there"
        )
    return pixels, compact(said)
