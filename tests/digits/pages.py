"""The pages that the trained reader knows: a number of eight digits below its label, anywhere on a small canvas, in two faces."""

import functools
import io
import random
from typing import Annotated, NamedTuple

import pymupdf
from PIL import Image, ImageDraw, ImageFont
from pydantic import BaseModel, Field

from docpipe.annotations import Labels, Required

WIDTH, HEIGHT = 224, 112
SQUARE = 28  # pixels each way that become one token
DIGITS = 8
SIZE, LABEL_SIZE = 36, 15  # of the letters
ABOVE = 10  # pixels from the label's top to that of the number's line
LOWEST = HEIGHT - 40  # where the number's line may begin
HELVETICA, COURIER = "helv", "cobo"
Box = tuple[float, float, float, float]


class Slip(BaseModel):
    """A slip with a number on it."""

    number: Annotated[str | None, Labels(en="number"), Required()] = Field(None, description="Number of the slip")


class Drawn(NamedTuple):
    """A page, its number, and the box of the number's ink in pixels."""

    image: Image.Image
    number: str
    box: Box


@functools.cache
def face(name: str, size: int) -> ImageFont.FreeTypeFont:
    """PyMuPDF's own faces: the same on every machine."""
    return ImageFont.truetype(io.BytesIO(pymupdf.Font(name).buffer), size)


def draw(chance: random.Random, *, freedom: float = 1.0) -> Drawn:
    """A page. With no `freedom` each digit has a square to itself, which is where learning to read begins; with all of it the number is
    set as print is, anywhere."""
    number = "".join(chance.choice("0123456789") for _ in range(DIGITS))
    name = chance.choice((HELVETICA, COURIER)) if freedom >= 0.5 else COURIER
    font, ink = face(name, SIZE + round(chance.uniform(-2, 2) * freedom)), chance.randint(0, 60)
    image = Image.new("L", (WIDTH, HEIGHT), 255)
    pen = ImageDraw.Draw(image)
    parts = _set(chance, number, font) if freedom >= 1 else _spaced(chance, number, font, freedom)
    for place, text in parts:
        pen.text(place, text, font=font, fill=ink)
    box = _ink(image)
    left, top = parts[0][0]
    pen.text((left, top - ABOVE), "Number", font=face(name, LABEL_SIZE), fill=ink)
    return Drawn(image, number, box)


def _ink(image: Image.Image) -> Box:
    left, top, right, bottom = image.point(lambda level: 255 - level).getbbox() or (0, 0, 0, 0)
    return left, top, right, bottom


def _set(chance: random.Random, number: str, font: ImageFont.FreeTypeFont) -> list[tuple[tuple[float, float], str]]:
    """Where the number stands, in one piece."""
    left = chance.randint(1, int(WIDTH - font.getlength(number) - 2))
    return [((left, chance.randint(ABOVE, LOWEST)), number)]


def _spaced(chance: random.Random, number: str, font: ImageFont.FreeTypeFont, freedom: float) -> list[tuple[tuple[float, float], str]]:
    """Where each digit stands."""
    natural = font.getlength("0")
    step = SQUARE + (natural - SQUARE) * min(1.0, freedom * chance.uniform(0.5, 1.6))
    left = chance.uniform(0, max(0.0, WIDTH - DIGITS * step)) * freedom
    inside = (step - natural) / 2
    top = min(LOWEST, max(ABOVE, SQUARE * chance.randint(1, 3) - 5 + chance.uniform(-14, 14) * freedom))
    return [((left + step * place + inside, top), digit) for place, digit in enumerate(number)]


def as_stored(image: Image.Image) -> Image.Image:
    """The page as the pipeline shows it to a model: what is photographed or scanned is stored as JPEG."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=90)
    return Image.open(file).convert("RGB")
