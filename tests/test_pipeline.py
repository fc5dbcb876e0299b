"""The three verbs in a row, with parts that break."""

from pathlib import Path

import pymupdf
import pytest

from docpipe.api import Reader
from docpipe.errors import ResourceError
from docpipe.request import Request

BROKEN = '''
from docpipe.words import OcrEngine


class Broken(OcrEngine):
    """Breaks on every image, as a plug-in with a bug does."""

    name = "broken"

    def read(self, image, *, languages=(), text_height=None):
        raise IndexError("a bug")
'''
BREAKING = '''
from docpipe.extract import Engine


class Breaking(Engine):
    """Breaks on every document."""

    name = "breaking"
    scope = "document"

    def read(self, pages, schema, *, job, space):
        raise ZeroDivisionError("a bug")
'''

TOGETHER = '''
import threading

from docpipe.extract import Engine
from docpipe.records import Candidate, Reading

at_once = threading.Barrier(3)


class Together(Engine):
    """Reads three pages at a time, or breaks."""

    name = "together"
    scope = "page"
    needs_image = True
    together = 3

    def read(self, pages, schema, *, job, space):
        (page,) = pages
        at_once.wait(20)
        space.path(page.image).stat()  # each with its image
        said = Candidate(path="text", value=str(page.number), page=page.number, engine=self.name)
        return Reading(engine=self.name, candidates=(said,))
'''


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """A page with a text layer, and one that is only a picture."""
    document = pymupdf.open()
    document.new_page().insert_text((72, 100), "Invoice No: 4711 and some more words of text", fontsize=12)
    picture = document[0].get_pixmap(dpi=100)
    page = document.new_page()
    page.insert_image(page.rect, pixmap=picture)
    path = tmp_path / "mixed.pdf"
    document.save(path)
    return path


def read(path: Path, **options):
    request = Request()
    return Reader("transcript", request.model_copy(update={"options": request.options.model_copy(update=options)})).read(path)


def test_an_ocr_engine_with_a_bug_costs_its_pages_and_the_result_names_them(mixed: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(BROKEN)
    result = read(mixed, ocr=f"{tmp_path / 'broken.py'}:Broken")
    assert [page.status for page in result.pages] == ["done", "failed"]
    assert result.status == "review" and [issue.page for issue in result.issues if issue.code == "page_failed"] == [2]
    assert "4711" in result.data.text


@pytest.mark.parametrize("problem", ["MemoryError()", "OSError(28, 'No space left on device')"])
def test_a_document_that_ran_out_of_memory_or_disk_is_no_result_with_a_hole(problem: str, mixed: Path, tmp_path: Path) -> None:
    (tmp_path / "starved.py").write_text(BROKEN.replace('IndexError("a bug")', problem))
    with pytest.raises(ResourceError, match=r"mixed\.pdf"):
        read(mixed, ocr=f"{tmp_path / 'starved.py'}:Broken")
    (tmp_path / "starving.py").write_text(BREAKING.replace('ZeroDivisionError("a bug")', problem))
    with pytest.raises(ResourceError, match=r"mixed\.pdf"):
        read(mixed, engines=(f"{tmp_path / 'starving.py'}:Breaking",))


def test_an_engine_with_a_bug_is_a_failure_beside_the_others(mixed: Path, tmp_path: Path) -> None:
    (tmp_path / "breaking.py").write_text(BREAKING)
    result = read(mixed, engines=(f"{tmp_path / 'breaking.py'}:Breaking", "labels"))
    assert "engine_failed" in {issue.code for issue in result.issues} and result.status == "review"
    assert "4711" in result.data.text


def test_an_engine_that_reads_several_pages_at_a_time_gives_them_in_order(tmp_path: Path) -> None:
    document = pymupdf.open()
    for number in range(6):
        document.new_page().insert_text((72, 100), f"This is page {number + 1} of six pages of text", fontsize=12)
    document.save(tmp_path / "six.pdf")
    (tmp_path / "together.py").write_text(TOGETHER)
    result = read(tmp_path / "six.pdf", engines=(f"{tmp_path / 'together.py'}:Together",))
    assert "engine_failed" not in {issue.code for issue in result.issues}, "fewer than three were read at a time"
    assert result.data.text.split() == ["1", "2", "3", "4", "5", "6"]
