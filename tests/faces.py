"""Documents, plug-ins and calls that the tests of the faces share."""

import os
import subprocess
import sys
from pathlib import Path

import pymupdf

ROOT = Path(__file__).resolve().parent.parent

PLUGINS = '''
"""A schema, an engine and an OCR engine of a user's own, in one file."""
import os, signal, time
from decimal import Decimal
from pathlib import Path

from pydantic import BaseModel, Field

from docpipe.errors import EngineError
from docpipe.extract import Engine
from docpipe.records import Candidate, Evidence, Reading
from docpipe.words import OcrEngine, load_words


class Row(BaseModel):
    what: str | None = Field(None, description="What the row is about")
    amount: Decimal | None = Field(None, description="What the row comes to")


class Note(BaseModel):
    title: str | None = Field(None, description="First line of the page")
    amount: Decimal | None = Field(None, description="Amount of the note")
    rows: list[Row] = Field(default_factory=list, description="The rows of the note")


class FirstLine(Engine):
    """Reads the first line as the title; what the line says can make it slow, or kill its process."""

    name = "first_line"
    scope = "document"

    def read(self, pages, schema, *, job, space):
        said = [word for page in pages for word in load_words(page, space).words]
        line = [word for word in said if word.line == said[0].line] if said else []
        text = " ".join(word.text for word in line)
        seen = Path(__file__).with_name("seen.txt")
        with seen.open("a") as log:
            log.write(text + "\\n")
        if "DIE" in text and (text.endswith("ALWAYS") or seen.read_text().count(text) < 2):
            os.kill(os.getpid(), signal.SIGKILL)
        if "RAISE" in text:
            raise RuntimeError("nobody thought of this")
        if "SLEEP" in text:
            time.sleep(60)
        if not line:
            return Reading(engine=self.name)
        box = (line[0].x0, line[0].y0, line[-1].x1, line[0].y1)
        found = Candidate(path="title", raw=text, page=pages[0].number, box=box, engine=self.name, score=0.9, evidence=Evidence(fit=1))
        return Reading(engine=self.name, pages=tuple(page.number for page in pages), candidates=(found,))


class Blind(OcrEngine):
    """Finds nothing."""

    name = "blind"

    def read(self, image, *, languages=(), text_height=None):
        return []


class Broken(OcrEngine):
    """Breaks at every image."""

    name = "broken"

    def read(self, image, *, languages=(), text_height=None):
        raise EngineError("the model is gone")


class Deadly(OcrEngine):
    """Writes down how high each page is; one of 200 points kills its process, one of 150 takes long."""

    name = "deadly"

    def read(self, image, *, languages=(), text_height=None):
        points = round(300 * image.shape[0] / image.shape[1])
        with Path(__file__).with_name("seen.txt").open("a") as log:
            log.write(f"page of {points} points\\n")
        if points == 200:
            os.kill(os.getpid(), signal.SIGKILL)
        if points == 150 and Path(__file__).with_name("slow").exists():
            time.sleep(60)
        return []


class Faulty(OcrEngine):
    """Breaks while it is made, in a way nobody thought of."""

    name = "faulty"

    def __init__(self, *, cache=None):
        raise RuntimeError("kaput\\nsecond line")

    def read(self, image, *, languages=(), text_height=None):
        return []
'''


def plugins(folder: Path) -> Path:
    """The plug-ins in a file of `folder`."""
    path = folder / "plug.py"
    path.write_text(PLUGINS, encoding="utf-8")
    return path


def reading_options(plug: Path, *, ocr: str = "Blind") -> list[str]:
    """Arguments that make a run quick: the plug-ins instead of the built-in engines."""
    return ["--schema", f"{plug}:Note", "--engines", f"{plug}:FirstLine", "--ocr", f"{plug}:{ocr}"]


def pdf(path: Path, *lines: str, password: str | None = None) -> Path:
    """A one-page PDF with these lines of text."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with pymupdf.open() as document:
        page = document.new_page()
        for number, line in enumerate(lines or ("Hello paper",)):
            page.insert_text((72, 100 + 30 * number), line, fontsize=14)
        page.insert_text((72, 400), "Some more text so that the page is trusted as what it says it is.")
        locked = {"encryption": pymupdf.PDF_ENCRYPT_AES_256, "user_pw": password, "owner_pw": password} if password else {}
        path.write_bytes(document.tobytes(**locked))
    return path


def scan(path: Path, *, height: int = 200) -> Path:
    """A PDF whose only page is a picture of text, 300 points wide."""
    with pymupdf.open() as text, pymupdf.open() as document:
        text.new_page(width=300, height=height).insert_text((30, 60), "A picture of words", fontsize=20)
        page = document.new_page(width=300, height=height)
        page.insert_image(page.rect, pixmap=text[0].get_pixmap(dpi=100))
        path.write_bytes(document.tobytes())
    return path


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **more}


def docpipe(*arguments: str | Path, stdout: int = subprocess.PIPE, **env: str) -> subprocess.CompletedProcess[bytes]:
    """`python -m docpipe` as a process of its own."""
    return subprocess.run(command(*arguments), stdout=stdout, stderr=subprocess.PIPE, env=environment(**env), timeout=120, check=False)


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-W", "error::ResourceWarning", "-m", "docpipe", *map(os.fspath, arguments)]


def last_line(stderr: bytes | str) -> str:
    text = stderr if isinstance(stderr, str) else stderr.decode()
    return text.rstrip("\n").rpartition("\n")[2]
