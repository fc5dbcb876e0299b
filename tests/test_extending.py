"""A user adds an OCR engine, a schema and a sink in one file each, and runs with them; formats have their own test with preprocessing."""

import json
import subprocess
import sys
from pathlib import Path

import pymupdf
import pytest

ENGINE = '''
from docpipe.records import Word
from docpipe.words import OcrEngine, OcrLine


class Fixed(OcrEngine):
    """Sees the same line on every image, where its ink is."""

    name = "fixed"

    def read(self, image, *, languages=(), text_height=None):
        height, width = image.shape[:2]
        texts = ("Ticket", "no:", "TK-2041")
        words = tuple(Word(text, 40 + 120 * i, height / 2, 140 + 120 * i, height / 2 + 30, 0.99) for i, text in enumerate(texts))
        return [OcrLine(words, 0.99)]
'''
SCHEMA = '''
from typing import Annotated

from pydantic import BaseModel, Field

from docpipe.annotations import Labels, Required


class Ticket(BaseModel):
    """A ticket."""

    ticket_number: Annotated[str | None, Labels(en="ticket no"), Required()] = Field(None, description="Number of the ticket")
'''
SINK = '''
from docpipe.sinks import Sink


class Lines(Sink):
    """One short line per document."""

    name = "lines"

    def __init__(self, target):
        super().__init__(target)
        self.stream = self.resources.enter_context((target / "lines.txt").open("w"))

    def write(self, result, *, name):
        self.stream.write(f"{name} {result.status}\\n")
'''


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A drawn page without a text layer."""
    page = pymupdf.open().new_page(width=400, height=200)
    page.insert_text((20, 105), "some ink to look at, drawn and not typed", fontsize=14)
    path = tmp_path / "scan.png"
    page.get_pixmap(dpi=150).save(path)
    return path


def docpipe(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "docpipe", *arguments], cwd=folder, capture_output=True, text=True, timeout=120)


def test_an_ocr_engine_and_a_schema_are_one_file_each(tmp_path: Path, picture: Path) -> None:
    (tmp_path / "fixed.py").write_text(ENGINE)
    (tmp_path / "ticket.py").write_text(SCHEMA)
    done = docpipe("run", picture.name, "--ocr", "fixed.py:Fixed", "--schema", "ticket.py:Ticket", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["data"] == {"ticket_number": "TK-2041"}
    assert result["pages"][0]["words"] == "ocr"
    assert result["schema"]["name"] == "ticket.py:Ticket"


def test_a_sink_is_one_file(tmp_path: Path, picture: Path) -> None:
    (tmp_path / "fixed.py").write_text(ENGINE)
    (tmp_path / "lines.py").write_text(SINK)
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    picture.rename(inbox / "scan.png")
    done = docpipe("batch", "inbox", "--out", "out", "--ocr", "fixed.py:Fixed", "--sink", "lines.py:Lines", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "lines.txt").read_text().split()[0].startswith("scan.png")


@pytest.mark.parametrize("option", ["--ocr", "--schema", "--engine"])
def test_a_part_that_does_not_exist_is_a_usage_error_with_the_names_there_are(option: str, tmp_path: Path, picture: Path) -> None:
    done = docpipe("run", picture.name, option, "nosuchthing", folder=tmp_path)
    assert done.returncode in (2, 3)
    assert "nosuchthing" in done.stderr.splitlines()[-1] and "one of:" in done.stderr.splitlines()[-1]
