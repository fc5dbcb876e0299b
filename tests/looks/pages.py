"""Pages of several kinds, drawn by chance: what they say is nonsense, what they look like tells them apart."""

import functools
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pymupdf
from PIL import Image, ImageDraw

from docpipe.classify import UNKNOWN, load_classes
from docpipe.preprocess.tone import even_light

CLASSES = {
    "invoice": "A bill with a ruled table of items, a sender at the top and a total below",
    "receipt": "A narrow slip from a till, with one price under the other",
    "letter": "A letter: an address, some paragraphs and a name below",
    "form": "A form with empty boxes to be filled in and small squares to tick",
    "photo": "Something that was photographed, dark from edge to edge",
}
WORDS = (
    "oak",
    "elm",
    "fig",
    "sun",
    "sky",
    "tin",
    "red",
    "blue",
    "green",
    "river",
    "meadow",
    "garden",
    "winter",
    "harvest",
    "lantern",
    "thistle",
)
FACES, OTHER_FACES = ("helv", "cour", "hebo"), ("tiro", "tibo", "cobo")  # of PyMuPDF: those learnt from, those kept for the test


@functools.cache
def _font(face: str) -> pymupdf.Font:
    return pymupdf.Font(face)


class Pen:
    """A page that is being drawn, in one face; its text is there once it is `lifted`."""

    def __init__(self, sheet: pymupdf.Page, chance: random.Random, face: str) -> None:
        self.sheet, self.chance, self.font = sheet, chance, _font(face)
        self.width, self.height = sheet.rect.width, sheet.rect.height
        self._text = pymupdf.TextWriter(sheet.rect)

    def words(self, least: int, most: int) -> str:
        return " ".join(self.chance.choices(WORDS, k=self.chance.randint(least, most)))

    def line(self, x: float, y: float, text: str, size: float = 10) -> None:
        self._text.append((x, y), text, font=self.font, fontsize=size)

    def price(self, right: float, y: float, size: float = 10) -> None:
        text = f"{self.chance.uniform(1, 900):.2f}"
        self.line(right - self.font.text_length(text, size), y, text, size)

    def block(self, x: float, y: float, width: float, lines: int, size: float = 10) -> float:
        """A paragraph; where the next may begin."""
        letters = int(width / self.font.text_length("n", size))
        for _ in range(lines):
            self.line(x, y, self.words(letters // 3, letters // 3)[: letters - self.chance.randint(0, 5)], size)
            y += size * 1.3
        return y + size

    def lifted(self) -> None:
        self._text.write_text(self.sheet)

    def rule(self, x0: float, y0: float, x1: float, y1: float, width: float = 0.8) -> None:
        self.sheet.draw_line((x0, y0), (x1, y1), width=width)

    def box(self, x0: float, y0: float, x1: float, y1: float, **more: object) -> None:
        self.sheet.draw_rect((x0, y0, x1, y1), **{"width": 0.8, **more})


def invoice(pen: Pen) -> None:
    left, right = pen.chance.uniform(40, 70), pen.width - pen.chance.uniform(40, 70)
    pen.line(left, pen.chance.uniform(50, 90), pen.words(1, 2), 20)
    for row in range(4):
        pen.line(left, 120 + 13 * row, pen.words(2, 3))
    top, rows, step = pen.chance.uniform(230, 300), pen.chance.randint(7, 14), pen.chance.uniform(20, 25)
    pen.box(left, top - step, right, top, fill=(0.8, 0.8, 0.8))
    for row in range(rows):
        pen.line(left + 5, top + step * row + 15, pen.words(2, 4))
        pen.price(right - 5, top + step * row + 15)
    for row in range(rows + 1):
        pen.rule(left, top + step * row, right, top + step * row)
    for share in (0, 0.6, 0.8, 1):
        pen.rule(left + share * (right - left), top - step, left + share * (right - left), top + step * rows)
    pen.line(right - 150, top + step * rows + 40, "total", 13)
    pen.price(right - 5, top + step * rows + 40, 13)


def receipt(pen: Pen) -> None:
    pen.line(pen.width / 4, 40, pen.words(1, 1), 16)
    y = 80.0
    while y < pen.height - 60:
        pen.line(14, y, pen.words(1, 2), 9)
        pen.price(pen.width - 14, y, 9)
        y += pen.chance.uniform(13, 17)


def letter(pen: Pen) -> None:
    left, size = pen.chance.uniform(60, 90), pen.chance.uniform(10, 12)
    for row in range(4):
        pen.line(left, 110 + 14 * row, pen.words(2, 3), size)
    pen.line(pen.width - 160, pen.chance.uniform(180, 210), pen.words(1, 2), size)
    y = pen.chance.uniform(240, 290)
    for _ in range(pen.chance.randint(2, 4)):
        y = pen.block(left, y, pen.width - 2 * left, pen.chance.randint(3, 6), size)
    pen.line(left, y + 40, pen.words(2, 2), size)


def form(pen: Pen) -> None:
    left, y = pen.chance.uniform(40, 60), pen.chance.uniform(60, 90)
    pen.line(left, y - 15, pen.words(2, 3), 15)
    step = pen.chance.uniform(38, 50)
    while y < pen.height - 110:
        middle = left + pen.chance.uniform(0.35, 0.65) * (pen.width - 2 * left)
        for x0, x1 in ((left, middle), (middle, pen.width - left)):
            pen.box(x0, y, x1, y + step)
            pen.line(x0 + 3, y + 8, pen.words(1, 2), 7)
        y += step
    for column in range(4):
        x = left + column * pen.chance.uniform(90, 120)
        pen.box(x, y + 15, x + 12, y + 27, width=1.5)
        pen.line(x + 16, y + 26, pen.words(1, 1), 9)


def photo(pen: Pen) -> None:
    noise = np.random.default_rng(pen.chance.randrange(1 << 30))
    coarse = noise.uniform(20, 190, (pen.chance.randint(3, 7), pen.chance.randint(3, 6), 3)).astype(np.uint8)
    scene = Image.fromarray(coarse).resize((300, 420), Image.Resampling.BICUBIC)
    for _ in range(pen.chance.randint(5, 12)):  # things with an outline: what is smooth all over is a blank page
        x, y, colour = pen.chance.uniform(0, 260), pen.chance.uniform(0, 380), tuple(map(int, noise.uniform(0, 255, 3)))
        ImageDraw.Draw(scene).ellipse((x, y, x + pen.chance.uniform(20, 120), y + pen.chance.uniform(20, 120)), fill=colour)
    grain = np.clip(np.asarray(scene, np.float32) + noise.normal(0, 8, (420, 300, 3)), 0, 255).astype(np.uint8)
    pixels = pymupdf.Pixmap(pymupdf.csRGB, 300, 420, grain.tobytes(), False)
    pen.sheet.insert_image(pen.sheet.rect, pixmap=pixels, keep_proportion=False)


def terms(pen: Pen) -> None:
    edge, gap, size = pen.chance.uniform(25, 40), pen.chance.uniform(14, 24), pen.chance.uniform(5.5, 7)
    column = (pen.width - 2 * edge - gap) / 2
    for x in (edge, edge + column + gap):
        y = pen.chance.uniform(40, 60)
        while y < pen.height - 90:
            y = pen.block(x, y, column, pen.chance.randint(4, 9), size)


def cover(pen: Pen) -> None:
    size = pen.chance.uniform(30, 44)
    for row in range(pen.chance.randint(1, 3)):
        pen.line(pen.chance.uniform(70, 130), pen.height * pen.chance.uniform(0.3, 0.4) + 1.4 * size * row, pen.words(1, 2), size)
    pen.line(pen.width / 2 - 40, pen.height - 100, pen.words(1, 2), 12)


def drawing(pen: Pen) -> None:
    for _ in range(pen.chance.randint(6, 12)):
        centre = (pen.chance.uniform(120, pen.width - 120), pen.chance.uniform(120, pen.height - 120))
        pen.sheet.draw_circle(centre, pen.chance.uniform(20, 110), width=pen.chance.uniform(1, 3))
    for _ in range(6):
        ends = [(pen.chance.uniform(40, pen.width - 40), pen.chance.uniform(40, pen.height - 40)) for _ in range(2)]
        pen.sheet.draw_line(*ends, width=2)


def chart(pen: Pen) -> None:
    floor, left = pen.height * pen.chance.uniform(0.6, 0.8), 80
    pen.rule(left, floor, pen.width - 60, floor, 2)
    pen.rule(left, floor, left, floor - 350, 2)
    bars = pen.chance.randint(5, 9)
    step = (pen.width - 160) / bars
    for bar in range(bars):
        x = left + 10 + step * bar
        pen.box(x, floor - pen.chance.uniform(40, 330), x + 0.7 * step, floor, fill=(pen.chance.uniform(0.2, 0.6),) * 3)


KINDS: dict[str, Callable[[Pen], None]] = {
    one.__name__: one for one in (invoice, receipt, letter, form, photo, terms, cover, drawing, chart)
}
TRUTH = {name: name if name in CLASSES or name in ("terms", "cover") else UNKNOWN for name in KINDS}


def classes():
    """The classes of the pages, as a call names them."""
    return load_classes([f"{name}={what}" for name, what in CLASSES.items()])


def draw(document: pymupdf.Document, kind: str, chance: random.Random, *, faces: Sequence[str] = FACES) -> pymupdf.Page:
    """One more page of the document."""
    sheet = document.new_page(**_size(kind, chance))
    pen = Pen(sheet, chance, chance.choice(faces))
    KINDS[kind](pen)
    pen.lifted()
    return sheet


def _size(kind: str, chance: random.Random) -> dict[str, float]:
    if kind == "receipt":
        return {"width": 226, "height": chance.uniform(420, 640)}
    wide = kind == "photo" and chance.random() < 0.5
    return {"width": 842, "height": 595} if wide else {"width": 595, "height": 842}


def pile(path: Path, each: int, *, seed: int, faces: Sequence[str] = OTHER_FACES) -> list[str]:
    """A file of `each` pages of every kind; the kinds of its pages."""
    kinds, chance = list(KINDS) * each, random.Random(seed)
    with pymupdf.open() as document:
        for kind in kinds:
            draw(document, kind, chance, faces=faces)
        document.save(path)
    return kinds


def picture(sheet: pymupdf.Page, *, dpi: int = 72) -> Image.Image:
    """What the page looks like, in the even light in which the pipeline shows it."""
    drawn = sheet.get_pixmap(dpi=dpi)
    pixels = np.frombuffer(drawn.samples, np.uint8).reshape(drawn.height, drawn.width, 3)
    return Image.fromarray(even_light(pixels))
