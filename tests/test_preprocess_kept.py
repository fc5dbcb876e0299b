"""Documents that stay open between two readings: opened once, never another file's, never one that went wrong, and not for long."""

import json
import os
import struct
import subprocess
import sys
import time
from pathlib import Path

import pymupdf
import pytest
from drawn import LIMITS, make_job, text_pdf, texts, write_lines
from faces import ROOT

from docpipe.errors import DamagedError, MismatchError
from docpipe.preprocess import client, identify, preprocess
from docpipe.preprocess.formats import load_format
from docpipe.preprocess.kept import MOST_KEPT, Kept, Opened, Way
from docpipe.preprocess.sheet import Bounds
from docpipe.workspace import Workspace

FORMAT = '''
"""Files of three blank pages. They tell what is done with them, and do what they are told by files beside them."""
from docpipe.errors import PageError
from docpipe.preprocess.formats import Format
from docpipe.preprocess.sheet import Sheet


class Diary(Format):
    @staticmethod
    def media_type(head):
        return "text/x-diary" if head.startswith(b"DIARY") else None

    def __init__(self, path, *, password, bounds):
        self.path = path
        self.weight = bytearray(b"x") * int(path.read_bytes().split()[1])
        self.say("opened")
        swap = path.with_name("swap")
        if swap.exists():
            swap.replace(path)

    @property
    def pages(self):
        return 3

    def sheet(self, number):
        if self.path.with_name(f"broken-{number}").exists():
            raise PageError("broken", page=number)
        self.say(f"page {number}")
        return Sheet(100.0, 100.0, needs_image=False, blank=True)

    def raster(self, number, *, dpi, turn):
        raise NotImplementedError

    def close(self):
        self.say("closed")

    def say(self, what):
        with self.path.with_name(f"{self.path.name}.log").open("a") as log:
            log.write(what + "\\n")
'''
MEGABYTE = 1024**2


@pytest.fixture(autouse=True)
def _a_process_of_its_own():
    client.shut_down()
    yield
    client.shut_down()


def diary(path: Path, weight: int = 0) -> Path:
    path.with_name("diary.py").write_text(FORMAT)
    path.write_bytes(b"DIARY %d" % weight)
    return path


def told(path: Path) -> list[str]:
    return path.with_name(f"{path.name}.log").read_text().splitlines()


def read_page(path: Path, number: int, *, job=None, limits=LIMITS, password: str | None = None):
    """One page, as the queue asks for it."""
    job = job or make_job(path, formats=(f"{path.with_name('diary.py')}:Diary",), pages=(number,))
    return preprocess(job, space=Workspace(path.parent / "work"), limits=limits, password=password)[1][0]


# ---- one opening -------------------------------------------------------------------------------------------------------


def test_pages_asked_for_one_by_one_open_the_document_once(tmp_path):
    path = diary(tmp_path / "a")
    assert [read_page(path, number).status for number in (1, 2, 3, 2)] == ["blank"] * 4
    assert told(path) == ["opened", "page 1", "page 2", "page 3", "page 2"]
    assert client._idle[0].documents == 4


def test_other_bounds_and_another_password_open_it_anew(tmp_path):
    path = diary(tmp_path / "a")
    read_page(path, 1)
    read_page(path, 1, password="secret")
    read_page(path, 1, limits=LIMITS.model_copy(update={"pages": 7}))
    assert told(path).count("opened") == 3


def test_a_locked_document_stays_locked_for_who_has_no_password(tmp_path):
    document = pymupdf.open()
    write_lines(document.new_page())
    document.save(tmp_path / "a.pdf", encryption=pymupdf.PDF_ENCRYPT_AES_256, owner_pw="o", user_pw="u")
    job = make_job(tmp_path / "a.pdf")
    assert read_page(tmp_path / "a.pdf", 1, job=job, password="u").status == "done"
    for password in ("wrong", None):
        with pytest.raises(Exception, match="password"):
            read_page(tmp_path / "a.pdf", 1, job=job, password=password)


def test_a_page_is_answered_alike_whatever_was_asked_before(tmp_path):
    """Drawing turns a page, and so does text that runs sideways: the document must not stay turned."""
    sideways = pymupdf.open(text_pdf(tmp_path / "plain.pdf"))
    page = sideways.new_page(width=842, height=595)
    for column in range(25):
        page.insert_text((60 + 20 * column, 560), "Gross amount due including every tax", rotate=90)
    sideways[0].set_rotation(180)
    sideways.save(tmp_path / "a.pdf")
    for path in [tmp_path / "a.pdf", *sorted((ROOT / "samples").glob("*.pdf"))]:
        document = load_format("pdf")(path, password=None, bounds=Bounds(pages=100, pixels=4_000_000))
        numbers = range(1, document.pages + 1)
        first = [document.sheet(number) for number in numbers]
        drawn = [document.raster(number, dpi=40, turn=sheet.rotation).data for number, sheet in zip(numbers, first, strict=True)]
        for number in numbers:
            document.raster(number, dpi=20, turn=90)
        assert [document.sheet(number) for number in numbers] == first, path.name
        assert path.parent != tmp_path or [sheet.rotation for sheet in first] == [0, 90]
        assert [document.raster(number, dpi=40, turn=sheet.rotation).data for number, sheet in zip(numbers, first, strict=True)] == drawn
        document.close()


# ---- never another file ------------------------------------------------------------------------------------------------


def test_a_file_that_was_swapped_is_not_read_as_the_old_one(tmp_path):
    """Same path, name, size and time of writing."""
    path, other = text_pdf(tmp_path / "a.pdf", pages=2, lines=3), tmp_path / "b.pdf"
    content = path.read_bytes()
    other.write_bytes(content.replace(content[-40:], content[-40:].swapcase()))
    job = make_job(path)
    assert read_page(path, 1, job=job).status == "done"
    before = path.stat()
    assert other.stat().st_size == before.st_size
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)
    with pytest.raises(MismatchError):
        read_page(path, 2, job=job)


def test_a_file_that_was_written_to_is_hashed_and_opened_anew(tmp_path):
    path = diary(tmp_path / "a")
    job = make_job(path, formats=(f"{tmp_path / 'diary.py'}:Diary",))
    read_page(path, 1, job=job)
    before = path.stat()
    time.sleep(0.05)  # the system's clock ticks
    path.write_bytes(b"DIARY 1")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    with pytest.raises(MismatchError):
        read_page(path, 1, job=job)
    read_page(path, 1)
    assert told(path).count("opened") == 2


def test_a_file_that_is_swapped_while_it_is_opened_is_not_read(tmp_path):
    path = diary(tmp_path / "a")
    job = make_job(path, formats=(f"{tmp_path / 'diary.py'}:Diary",))
    (tmp_path / "swap").write_bytes(b"DIARY 2")
    with pytest.raises(MismatchError):
        read_page(path, 1, job=job)
    assert told(path) == ["opened", "closed"]


def test_a_file_is_hashed_once(tmp_path):
    path = diary(tmp_path / "a")
    path.write_bytes(b"DIARY 0 " + bytes(5 * MEGABYTE))
    first, before = identify(path, formats=(f"{tmp_path / 'diary.py'}:Diary",)), bytes_read()
    assert identify(path, formats=(f"{tmp_path / 'diary.py'}:Diary",)) == first
    assert bytes_read() - before < MEGABYTE


def bytes_read() -> int:
    return int(Path("/proc/self/io").read_text().split()[1])


# ---- never one that went wrong, never too many, not for long -----------------------------------------------------------


def test_a_document_that_failed_is_opened_anew(tmp_path):
    path = diary(tmp_path / "a")
    (tmp_path / "broken-2").touch()
    assert [read_page(path, number).status for number in (1, 2)] == ["blank", "failed"]
    assert told(path) == ["opened", "page 1", "closed"]
    (tmp_path / "broken-2").unlink()
    assert read_page(path, 2).status == "blank"
    assert told(path)[3:] == ["opened", "page 2"]


def test_few_are_kept(tmp_path):
    paths = [diary(tmp_path / f"{number}") for number in range(MOST_KEPT + 1)]
    for path in paths:
        read_page(path, 1)
    assert ["closed" in told(path) for path in paths] == [True] + [False] * MOST_KEPT
    read_page(paths[1], 2)
    assert told(paths[1]).count("opened") == 1


def test_what_takes_much_memory_is_not_kept(tmp_path):
    light, heavy = diary(tmp_path / "light"), diary(tmp_path / "heavy", 400 * MEGABYTE)
    for path in (light, heavy):
        read_page(path, 1)
    assert "closed" in told(light) and "closed" in told(heavy)


def test_one_document_s_memory_is_not_what_another_lacks(tmp_path):
    """Both fit into the limit, but not together: the second is tried again alone."""
    limits = LIMITS.model_copy(update={"memory_bytes": 500 * MEGABYTE})
    first, second = diary(tmp_path / "first", 200 * MEGABYTE), diary(tmp_path / "second", 300 * MEGABYTE)
    assert read_page(first, 1, limits=limits).status == "blank"
    assert "closed" not in told(first)
    assert read_page(second, 1, limits=limits).status == "blank"


def test_one_that_rested_too_long_is_closed_by_the_next(tmp_path):
    kept = Kept(seconds=0.05)
    old, new = (opened(diary(tmp_path / name)) for name in ("old", "new"))
    kept.put(old)
    time.sleep(0.1)
    kept.put(new)
    assert kept.take(old.way) is None and told(tmp_path / "old")[-1] == "closed"
    assert kept.take(new.way) is new and kept.take(new.way) is None


def opened(path: Path) -> Opened:
    reference = f"{path.with_name('diary.py')}:Diary"
    return Opened(Way.of({"path": str(path), "format": reference, "password": None, "pages": 9, "pixels": 9}))


def test_an_idle_process_lets_go_of_files(tmp_path):
    """Else a document that was deleted would take up the disk for as long as the worker lives."""
    path = text_pdf(tmp_path / "a.pdf")
    code = "from docpipe.preprocess.child import main; main(pdf=True, patience=0.3)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        limits = {"memory": 2**30, "pages": 9, "pixels": 10**6}
        answer = ask(process, {"do": "open", "path": str(path), "format": "pdf", "password": None, "einvoice": None, **limits})
        assert answer["pages"] == 1
        time.sleep(1.0)
        assert holds(process, path), "what is being read stays open"
        ask(process, {"do": "close"})
        deadline = time.monotonic() + 20
        while holds(process, path) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not holds(process, path)
        process.stdin.close()
        process.wait(20)


def ask(process: subprocess.Popen[bytes], message: dict) -> dict:
    content = json.dumps({**message, "seconds": 20}).encode()
    process.stdin.write(struct.pack(">I", len(content)) + content)
    process.stdin.flush()
    return json.loads(process.stdout.read(struct.unpack(">I", process.stdout.read(4))[0]))


def holds(process: subprocess.Popen[bytes], path: Path) -> bool:
    return any(file.exists() and file.resolve() == path for file in Path(f"/proc/{process.pid}/fd").iterdir())


def test_a_document_that_is_gone_is_not_kept(tmp_path):
    path = text_pdf(tmp_path / "a.pdf", pages=2)
    with client.open_document(client.Request(path, "pdf"), LIMITS):
        path.unlink()
    with pytest.raises(DamagedError), client.open_document(client.Request(path, "pdf"), LIMITS):
        pass


def test_words_are_those_of_the_page_that_was_asked_for(tmp_path):
    document = pymupdf.open()
    for number in range(1, 4):
        write_lines(document.new_page(), text=f"words of page number {number} and no other")
    document.save(tmp_path / "a.pdf")
    for number in (3, 1, 2):
        assert read_page(tmp_path / "a.pdf", number, job=make_job(tmp_path / "a.pdf", pages=(number,))).status == "done"
        assert texts(Workspace(tmp_path / "work"), number)[4] == str(number)
