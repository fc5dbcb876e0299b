"""Packets made of the documents of truth files: which documents follow each other, as they came or as a scanner gives them.

Knows documents, their pages and their words; cuts nothing. Words are read once and kept: OCR takes a second a page.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pymupdf
from classify import PARTIES
from PIL import Image

from docpipe.classify import UNKNOWN, DocumentClass, PageVerdict
from docpipe.classify.words import WordsClassifier
from docpipe.errors import DocpipeError
from docpipe.limits import Limits
from docpipe.preprocess import identify, preprocess
from docpipe.records import Job, Page, Record, SchemaRef, Words
from docpipe.settings import read_settings
from docpipe.splitting import Sheet
from docpipe.words import OcrEngine, load_ocr, read_words
from docpipe.workspace import temporary

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from made_invoices import make

LEAST, MOST, KIN = 2, 12, 0.4  # documents of a packet, and how often one of the same vendor is looked for next
SCAN_DPI, SCAN_QUALITY, LEAN = 200, 75, 0.7  # of our scanner: dots per inch, JPEG, degrees at most
SCANS = frozenset({"receipt", "fara_form"})  # documents that are scans as they came
A4 = (595.0, 842.0)
ROWS = (5, 8, 12, 20)  # of a page of a made-up invoice
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
        return _hash(self.vendor) % 2

    @property
    def looks(self) -> tuple[Look, ...]:
        """Half of the PDFs come from our scanner too; receipts and forms are scans as they are."""
        digital = self.source.suffix.lower() == ".pdf" and self.schema not in SCANS
        return ("as_is", "scan") if digital and _hash(self.source.name) % 2 == 0 else ("as_is",)


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


def _hash(text: str) -> int:
    return int(hashlib.md5(text.encode(), usedforsecurity=False).hexdigest(), 16)


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
            _add_picture(made, A4[0], picture.height * A4[0] / picture.width, picture.convert("RGB"))
    made.save(file)


def _scanned(picture: Image.Image, chance: random.Random) -> Image.Image:
    return picture.convert("L").rotate(chance.uniform(-LEAN, LEAN), fillcolor=255, resample=Image.Resampling.BICUBIC)


def _add_picture(made: pymupdf.Document, width: float, height: float, picture: Image.Image) -> None:
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=SCAN_QUALITY)
    page = made.new_page(width=width, height=height)
    page.insert_image(page.rect, stream=content.getvalue())


# ---- the packets -----------------------------------------------------------------------------------------------------


def packets(found: Sequence[Paper], shelf: Shelf, *, count: int, seed: int) -> Iterator[Packet]:
    """Seeded packets of documents, none of them twice in one."""
    chance = random.Random(seed)
    for number in range(count):
        yield Packet(f"packet-{seed}-{number:03d}", tuple(_chosen(found, shelf, chance)))


def _chosen(found: Sequence[Paper], shelf: Shelf, chance: random.Random) -> Iterator[tuple[Paper, Look]]:
    """The next document is often of the same class and vendor, as in real packets."""
    taken: set[str] = set()
    last: Paper | None = None
    for _ in range(chance.randint(LEAST, MOST)):
        left = [paper for paper in found if paper.same not in taken]
        if not left:
            return
        kin = [paper for paper in left if last and (paper.schema, paper.vendor) == (last.schema, last.vendor)]
        last = chance.choice(kin if kin and chance.random() < KIN else left)
        look = chance.choice(last.looks)
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


# ---- what a cutter sees ----------------------------------------------------------------------------------------------


class Sorter:
    """Tells what each page of the stock is, once."""

    def __init__(self, classes: Sequence[DocumentClass]) -> None:
        self._classes = classes
        self._classifier = WordsClassifier()
        self._known: dict[Path, list[PageVerdict]] = {}

    def verdicts(self, stock: Stock) -> list[PageVerdict]:
        if stock.file not in self._known:
            self._known[stock.file] = [self._judge(page, words) for page, words in zip(stock.pages, stock.words, strict=True)]
        return self._known[stock.file]

    def _judge(self, page: Page, words: Words) -> PageVerdict:
        if page.status == "blank":
            return PageVerdict(page=page.number, choice=UNKNOWN, score=1.0, kind="blank")
        return self.judge(words)

    def judge(self, words: Words) -> PageVerdict:
        return self._classifier.judge(words, None, self._classes)


def sheets_of(packet: Packet, shelf: Shelf, sorter: Sorter, *, backs: bool = False) -> list[list[Sheet]]:
    """The packet's sheets, document by document, numbered as its pages are. `backs`: with a blank one where a duplex scanner gives one."""
    documents: list[list[Sheet]] = []
    number = 0
    for paper, look in packet.papers:
        stock, sheets = shelf.get(paper, look), []
        if stock is None:
            continue
        for page, words, verdict in zip(stock.pages, stock.words, sorter.verdicts(stock), strict=True):
            number += 1
            sheets.append(_sheet(number, page, words, verdict))
        if backs and len(sheets) % 2:
            number += 1
            sheets.append(_blank(number, sheets[-1].page))
        documents.append(sheets)
    return documents


def _sheet(number: int, page: Page, words: Words, verdict: PageVerdict) -> Sheet:
    changed = {"page": number}
    return Sheet(page.model_copy(update={"number": number}), words.model_copy(update=changed), verdict.model_copy(update=changed))


def _blank(number: int, page: Page) -> Sheet:
    empty = Words(page=number, width=page.width, height=page.height, source="none")
    verdict = PageVerdict(page=number, choice=UNKNOWN, score=1.0, kind="blank")
    return Sheet(Page(number=number, width=page.width, height=page.height, status="blank"), empty, verdict)


def made_up(chance: random.Random, sorter: Sorter) -> list[Sheet]:
    """An invoice that a seed makes up, of one page or several."""
    pages = make(chance.randint(0, 10**6), per_page=chance.choice(ROWS)).pages
    return [
        Sheet(Page(number=words.page, width=words.width, height=words.height, text_layer="trusted"), words, sorter.judge(words))
        for words in pages
    ]
