"""Packets made of the documents of truth files: which documents follow each other, as they came or as a scanner gives them.

Knows documents, their pages and their words; cuts nothing. Words are read once and kept: OCR takes a second a page.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pymupdf
from classify import PARTIES
from PIL import Image

from docpipe.errors import DocpipeError
from docpipe.limits import Limits
from docpipe.preprocess import identify, preprocess
from docpipe.records import Job, Page, Record, SchemaRef, Words
from docpipe.settings import read_settings
from docpipe.words import OcrEngine, load_ocr, read_words
from docpipe.workspace import temporary

LEAST, MOST, KIN = 2, 12, 0.4  # documents of a packet, and how often one of the same vendor is looked for next
SCAN_DPI, SCAN_QUALITY, LEAN = 200, 75, 0.7  # of our scanner: dots per inch, JPEG, degrees at most
A4 = (595.0, 842.0)
Look = Literal["as_is", "scan"]


class Paper(NamedTuple):
    """One document with its truth. `same` is alike for copies of one document."""

    source: Path
    truth: dict[str, Any]
    vendor: str
    same: str

    @property
    def schema(self) -> str:
        return str(self.truth["schema"])

    @property
    def half(self) -> int:
        return int(hashlib.md5(self.vendor.encode(), usedforsecurity=False).hexdigest(), 16) % 2


class Stock(Record):
    """A document as it lies in packets: its PDF, and what was read off each page."""

    file: Path
    pages: tuple[Page, ...]
    words: tuple[Words, ...]


class Packet(NamedTuple):
    """What follows what: each document with the look it has."""

    name: str
    papers: tuple[tuple[Paper, Look], ...]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--truth", type=Path, nargs="+", required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--schemas", type=Path, required=True)
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--packets", type=int, default=200)


def papers(truth: Sequence[Path], data: Path) -> list[Paper]:
    """All documents, each once."""
    lines = [json.loads(line) for file in truth for line in file.read_text("utf-8").splitlines()]
    return [_paper(line, data) for line in {line["document"]: line for line in lines}.values()]


def _paper(line: dict[str, Any], data: Path) -> Paper:
    party = next((party for party in PARTIES if line["fields"].get(party)), None)
    said = line["fields"][party] if party else str(line["document"])
    vendor = f"{party}{said if isinstance(said, str) else said[0]}".upper()[:32]
    return Paper(data / line["document"], line, vendor, str(line.get("group") or line["document"]))


# ---- the stock -------------------------------------------------------------------------------------------------------


class Shelf:
    """The stock of all documents, each look made and read when it is first asked for."""

    def __init__(self, cache: Path) -> None:
        cache.mkdir(parents=True, exist_ok=True)
        self._cache = cache
        self._known: dict[tuple[Path, Look], Stock | None] = {}
        self._ocr: OcrEngine | None = None

    def get(self, paper: Paper, look: Look) -> Stock | None:
        """None where the document cannot be opened."""
        key = paper.source, look
        if key not in self._known:
            self._known[key] = self._made(paper, look)
        return self._known[key]

    def _made(self, paper: Paper, look: Look) -> Stock | None:
        name = hashlib.sha256(f"{paper.source} {look}".encode()).hexdigest()[:16]
        kept = self._cache / f"{name}.stock.json"
        if kept.exists():
            return Stock.model_validate_json(kept.read_bytes())
        file = self._cache / f"{name}.pdf"
        try:
            _draw(paper, look, file)
            stock = self._read(file)
        except (DocpipeError, RuntimeError) as problem:
            print(f"left out: {paper.source.name}: {problem}")
            return None
        kept.write_text(stock.model_dump_json())
        return stock

    def _read(self, file: Path) -> Stock:
        self._ocr = self._ocr or load_ocr("ppocr", cache=read_settings().cache)
        with temporary() as space:
            job = Job(id="packets", source=file, document=identify(file, Limits()), schema_ref=SchemaRef(name="", sha256=""))
            _, pages = preprocess(job, space=space, limits=Limits())
            words = [read_words(page, ocr=self._ocr, languages=(), space=space) for page in pages]
        return Stock(file=file, pages=tuple(pages), words=tuple(words))


def _draw(paper: Paper, look: Look, file: Path) -> None:
    """The document as a PDF: its pages as they are, or as pictures of a scanner."""
    chance = random.Random(str(paper.source))
    made = pymupdf.open()
    if paper.source.suffix.lower() == ".pdf":
        with pymupdf.open(paper.source) as source:
            if look == "as_is":
                made.insert_pdf(source)
            else:
                for page in source:
                    _add_picture(made, page.rect.width, page.rect.height, _scanned(page.get_pixmap(dpi=SCAN_DPI).pil_image(), chance))
    else:
        with Image.open(paper.source) as picture:
            _add_photo(made, picture.convert("RGB"), look, chance)
    made.save(file)


def _add_photo(made: pymupdf.Document, picture: Image.Image, look: Look, chance: random.Random) -> None:
    """A picture as a page of A4's width, or lying on the glass of a scanner."""
    if look == "as_is":
        _add_picture(made, A4[0], picture.height * A4[0] / picture.width, picture)
        return
    width, height = (round(side * SCAN_DPI / 72) for side in A4)
    glass = Image.new("RGB", (width, height), "white")
    factor = min(0.9 * width / picture.width, 0.95 * height / picture.height)
    small = picture.resize((round(picture.width * factor), round(picture.height * factor)))
    glass.paste(small, ((width - small.width) // 2, (height - small.height) // 3))
    _add_picture(made, *A4, _scanned(glass, chance))


def _scanned(picture: Image.Image, chance: random.Random) -> Image.Image:
    return picture.convert("L").rotate(chance.uniform(-LEAN, LEAN), fillcolor=255, resample=Image.Resampling.BICUBIC)


def _add_picture(made: pymupdf.Document, width: float, height: float, picture: Image.Image) -> None:
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=SCAN_QUALITY)
    page = made.new_page(width=width, height=height)
    page.insert_image(page.rect, stream=content.getvalue())


# ---- the packets -----------------------------------------------------------------------------------------------------


def packets(found: Sequence[Paper], shelf: Shelf, *, count: int, seed: int) -> Iterator[Packet]:
    """Seeded packets: a third holds documents as they came, a third comes from one scanner, a third is mixed."""
    chance = random.Random(seed)
    for number in range(count):
        looks: tuple[Look, ...] = (("as_is",), ("scan",), ("as_is", "scan"))[number % 3]
        chosen = list(_chosen(found, shelf, chance, looks))
        yield Packet(f"packet-{seed}-{number:03d}", tuple(chosen))


def _chosen(found: Sequence[Paper], shelf: Shelf, chance: random.Random, looks: Sequence[Look]) -> Iterator[tuple[Paper, Look]]:
    """Documents, none of them twice; the next one is often of the same class and vendor."""
    taken: set[str] = set()
    last: Paper | None = None
    for _ in range(chance.randint(LEAST, MOST)):
        left = [paper for paper in found if paper.same not in taken]
        kin = [paper for paper in left if last and (paper.schema, paper.vendor) == (last.schema, last.vendor)]
        last, look = chance.choice(kin if kin and chance.random() < KIN else left), chance.choice(looks)
        taken.add(last.same)
        if shelf.get(last, look) is not None:
            yield last, look


def write(packet: Packet, shelf: Shelf, folder: Path) -> Path:
    """The packet as one PDF."""
    made = pymupdf.open()
    for paper, look in packet.papers:
        stock = shelf.get(paper, look)
        if stock is not None:
            with pymupdf.open(stock.file) as part:
                made.insert_pdf(part)
    path = folder / f"{packet.name}.pdf"
    made.save(path)
    return path
