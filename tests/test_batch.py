"""Batches: every file ends in one of result or error, whatever happens; the next call does what is missing."""

import contextlib
import csv
import fcntl
import hashlib
import io
import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pymupdf
import pytest
from faces import command, docpipe, environment, last_line, pdf, plugins, reading_options, scan

from docpipe.artifacts import artifact_name
from docpipe.batch import TENANT, Register
from docpipe.errors import IncompleteError, LedgerError, NotFoundError, UsageError
from docpipe.fields import load_schema
from docpipe.inplace import WHOLE
from docpipe.ledger import Ledger, Merged, claim, dispatch, known, open_ledger, settle, view
from docpipe.limits import Limits
from docpipe.records import Producer, ReadOptions, Result, SchemaRef
from docpipe.request import Request
from docpipe.shelf import Item, Shelf
from docpipe.store import Store

PRODUCER = Producer(docpipe="1")


@pytest.fixture
def plug(tmp_path):
    return plugins(tmp_path)


@pytest.fixture
def papers(tmp_path):
    folder = tmp_path / "in"
    pdf(folder / "a.pdf", "Alpha")
    pdf(folder / "b" / "a.pdf", "Beta")
    return folder


def batch(folder, out, plug, *more, jobs="1"):
    return docpipe("batch", folder, "--out", out, "--jobs", jobs, *reading_options(plug), *more)


def seen(plug: Path) -> list[str]:
    """The titles that were read since the last call of this function, in order of name."""
    log = plug.with_name("seen.txt")
    lines = log.read_text().splitlines() if log.exists() else []
    log.unlink(missing_ok=True)
    return sorted(lines)


def results(out: Path) -> dict[str, str]:
    """File -> title, from the single results."""
    paths = [path for path in out.rglob("*.json") if path.is_file() and ".docpipe" not in path.parts]
    return {path.relative_to(out).as_posix(): json.loads(path.read_bytes())["data"]["title"] for path in paths}


def rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def table(path: Path) -> list[dict]:
    return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))


def test_a_folder_and_then_only_what_changed(tmp_path, papers, plug):
    out = papers / "results"  # inside the folder of the documents: never read as one
    (papers / ".hidden.pdf").write_bytes(b"%PDF-")
    pdf(papers / "copy.pdf", "Alpha").write_bytes((papers / "a.pdf").read_bytes())
    done = batch(papers, out, plug)
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    assert results(out) == {"a.pdf.json": "Alpha", "b/a.pdf.json": "Beta", "copy.pdf.json": "Alpha"}
    assert [row["file"] for row in rows(out / "results.jsonl")] == ["a.pdf", "b/a.pdf", "copy.pdf"]
    assert [row["title"] for row in table(out / "results.csv")] == ["Alpha", "Beta", "Alpha"]
    assert (out / "results.xlsx").is_file() and (out / "errors.jsonl").read_text() == ""
    assert seen(plug) == ["Alpha", "Alpha", "Beta"]

    assert batch(papers, out, plug).returncode == 0
    assert seen(plug) == [], "nothing is read twice"

    pdf(papers / "b" / "a.pdf", "Gamma")
    (out / "a.pdf.json").write_text('{"half a')
    done = batch(papers, out, plug)
    assert seen(plug) == ["Alpha", "Gamma"], "the changed file and the one without a whole result"
    assert results(out)["b/a.pdf.json"] == "Gamma" and b"1 of them done before" in done.stdout


def concluded(register: Register, item: Item, ledger: Ledger, store: Store, **change: Any) -> None:
    """Do the item's job by hand: what comes of it is a result with these changes."""
    job = register.take_up(item)
    (sent,) = dispatch(ledger, slots={"prepare": 1}, depth=1)
    work = claim(ledger, sent.hint, owner="test")
    assert work is not None
    result = Result[Any](status="review", document=work.spec.document, schema_ref=work.spec.schema_ref, data={}, producer=PRODUCER)
    result = result.model_copy(update=change)
    kept = store.put(artifact_name(work, "json"), result.to_json().encode())
    assert settle(ledger, work, Merged(result=kept, sha256=result.sha256(), status=result.status, document_pages=1))
    assert register.hand_over(view(ledger, job), item).status == result.status


def test_what_makes_a_result_stale(tmp_path, plug):
    paper, out = pdf(tmp_path / "in" / "a.pdf", "Alpha"), tmp_path / "out"
    shelf, store = Shelf(paper.parent, out), Store(str(tmp_path / "store"))
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.sqlite'}")
    schema = load_schema(f"{plug}:Note")[1]
    (item,) = shelf.items()

    def register(request: Request | None = None, ref: SchemaRef = schema) -> Register:
        return Register(ledger, store, shelf, request or Request(), ref)

    with contextlib.closing(ledger):
        assert not register().is_done(item)
        concluded(register(), item, ledger, store)
        assert register().is_done(item)
        for other in (
            Request(options=ReadOptions(dpi=150)),
            Request(options=ReadOptions(engines=("labels",))),
            Request(limits=Limits(pixels=30_000_000)),
        ):
            assert not register(other).is_done(item)
        assert not register(ref=schema.model_copy(update={"sha256": "0" * 64})).is_done(item)
        assert register(Request(cache=tmp_path)).is_done(item), "where model files lie changes no result"
        for change in ({"status": "failed"}, {"retryable": True}):
            concluded(register(), item, ledger, store, **change)
            assert not register().is_done(item), "the next call tries again"
        concluded(register(), item, ledger, store)
        whole = item.result.read_bytes()
        for broken in (whole[:-20], b"", b"[]", b"{}", whole.replace(hashlib.sha256(paper.read_bytes()).hexdigest().encode(), b"0" * 64)):
            item.result.write_bytes(broken)
            assert not register().is_done(item)
        item.result.write_bytes(whole)
        assert register().is_done(item)
        pdf(paper, "Gamma")
        assert not register().is_done(item)
        concluded(register(), item, ledger, store)
        assert len(known(ledger, tenant=TENANT)) == 1, "one job for a file, whatever it was"
        assert list((tmp_path / "store" / TENANT).iterdir()) == [], "what was handed over is not kept twice"


def test_bad_files_are_rows_and_do_not_stop_the_others(tmp_path, papers, plug):
    out = tmp_path / "out"
    (papers / "text.pdf").write_text("no PDF at all")
    (papers / "gone.pdf").symlink_to(papers / "nowhere.pdf")
    pdf(papers / "locked.pdf", password="sesame")
    done = batch(papers, out, plug)
    assert done.returncode == IncompleteError.exit_code
    assert last_line(done.stderr).startswith("docpipe: error: incomplete: in: 3 of 5 documents have no usable result (")
    assert {row["file"]: row["code"] for row in rows(out / "errors.jsonl")} == {
        "text.pdf": "unsupported",
        "gone.pdf": "not_found",
        "locked.pdf": "password",
    }
    assert b"unsupported: text.pdf" in done.stdout
    assert set(results(out)) == {"a.pdf.json", "b/a.pdf.json"}

    (papers / "a.pdf").write_text("was a PDF")
    (tmp_path / "password").write_text("sesame")
    done = batch(papers, out, plug, "--password-file", tmp_path / "password")
    assert set(results(out)) == {"b/a.pdf.json", "locked.pdf.json"}, "an old result does not stand beside an error"
    assert [row["file"] for row in rows(out / "errors.jsonl")] == ["a.pdf", "gone.pdf", "text.pdf"]
    assert not any(b"sesame" in path.read_bytes() for path in out.rglob("*") if path.is_file())


def test_a_result_without_a_place_is_an_error_of_its_own(tmp_path, plug):
    papers, out = tmp_path / "in", tmp_path / "out"
    names = ["c.pdf", "c.pdf.json/y.pdf", "errors.jsonl/e.pdf", "results.jsonl/deep/r.pdf", "results.rows.csv/s.pdf"]
    names += ["d.pdf", "e.json/f.pdf", "lock/l.pdf", "zz.pdf"]
    for name in names:
        pdf(papers / name, name)
    (out / "d.pdf.json").mkdir(parents=True)  # left by a folder of that name
    for _ in range(2):
        done = batch(papers, out, plug)
        assert done.returncode == IncompleteError.exit_code, done.stderr
        assert set(results(out)) == {"c.pdf.json", "e.json/f.pdf.json", "lock/l.pdf.json", "zz.pdf.json"}
        assert {row["file"] for row in rows(out / "errors.jsonl")} == {*names[1:6]}
        assert {row["code"] for row in rows(out / "errors.jsonl")} == {"usage"}
        assert [row["file"] for row in rows(out / "results.jsonl")] == ["c.pdf", "e.json/f.pdf", "lock/l.pdf", "zz.pdf"]
        assert len(table(out / "results.csv")) == 4


def test_what_failed_is_tried_again(tmp_path, plug):
    papers, out = tmp_path / "in", tmp_path / "out"
    pdf(papers / "a.pdf", "RAISE")
    for again in range(2):
        done = batch(papers, out, plug)
        assert done.returncode == IncompleteError.exit_code
        assert seen(plug) == ["RAISE"], again
    assert json.loads((out / "a.pdf.json").read_bytes())["status"] == "failed"


def test_linked_folders_are_read_once(tmp_path):
    folder, far = tmp_path / "in", tmp_path / "far"
    for path in (folder / "z" / "a.pdf", far / "b.pdf", far / "deep" / "c.pdf", tmp_path / "d.pdf", folder / "out" / "x.json"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for link, target in (("a", "z"), ("far", far), ("near", far), ("self", "."), ("z/up", ".."), ("results", "out"), (".far", far)):
        (folder / link).symlink_to(target, target_is_directory=True)
    (far / "back").symlink_to(far)
    (far / "home").symlink_to(folder)

    def names():
        return [item.name for item in Shelf(folder, folder / "out").items()]

    assert names() == ["far/b.pdf", "far/deep/c.pdf", "z/a.pdf"]
    (folder / "out-of-here").symlink_to(tmp_path)
    assert names() == ["far/b.pdf", "far/deep/c.pdf", "out-of-here", "z/a.pdf"], "not followed, and an error row says so"


def test_what_a_killed_batch_leaves_is_removed_by_the_next(tmp_path, papers, plug):
    place = tmp_path / "tmp"
    with subprocess.Popen(["true"]) as dead:
        dead.wait()
    left = place / f"docpipe-batch-{dead.pid}-abc"
    alive = place / f"docpipe-batch-{os.getpid()}-abc"
    other = place / "docpipe-batch-of-someone"
    locked = place / f"docpipe-batch-{dead.pid}-elsewhere"
    for folder in (left, alive, other, locked):
        (folder / "page").mkdir(parents=True)
        (folder / ".owner").touch()
    with (locked / ".owner").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        arguments = ["batch", papers, "--out", tmp_path / "out", "--jobs", "1", *reading_options(plug)]
        done = docpipe(*arguments, TMPDIR=str(place))
    assert done.returncode == 0, done.stderr
    assert {path.name for path in place.glob("docpipe-batch-*")} == {alive.name, other.name, locked.name}


def test_a_crash_costs_no_other_document_and_is_tried_again_alone(tmp_path, papers, plug):
    pdf(papers / "c.pdf", "DIE once")
    pdf(papers / "d.pdf", "DIE ALWAYS")
    out = tmp_path / "out"
    done = batch(papers, out, plug, jobs="2")
    assert done.returncode == IncompleteError.exit_code
    assert results(out) == {"a.pdf.json": "Alpha", "b/a.pdf.json": "Beta", "c.pdf.json": "DIE once"}
    (row,) = rows(out / "errors.jsonl")
    assert (row["file"], row["code"]) == ("d.pdf", "crash") and "-9" in row["message"]
    assert seen(plug).count("DIE ALWAYS") == 4, "read through once, then three times what follows from its pages"


def test_a_page_that_kills_its_process_is_a_hole_in_the_result(tmp_path, papers, plug):
    with pymupdf.open() as document:
        for height in (400, 200, 400):
            scan(tmp_path / "page.pdf", height=height)
            with pymupdf.open(tmp_path / "page.pdf") as page:
                document.insert_pdf(page)
        document.save(papers / "c.pdf")
    out = tmp_path / "out"
    done = docpipe("batch", papers, "--out", out, "--jobs", "2", *reading_options(plug, ocr="Deadly"))
    assert done.returncode == 0, done.stdout
    result = json.loads((out / "c.pdf.json").read_bytes())
    assert [page["status"] for page in result["pages"]] == ["done", "failed", "done"]
    assert (result["pages"][1]["error"], result["status"]) == ("crash", "review")
    assert seen(plug).count("page of 200 points") == 4, "with the whole document, then alone three times"
    assert set(results(out)) >= {"a.pdf.json", "b/a.pdf.json"}
    assert docpipe("batch", papers, "--out", out, *reading_options(plug, ocr="Deadly")).returncode == 0
    assert seen(plug) == [], "a hole is no passing failure: nothing is read twice"


def test_a_long_document_goes_on_at_the_page_where_it_was_cut_short(tmp_path, plug):
    papers, out, log = tmp_path / "in", tmp_path / "out", plug.with_name("seen.txt")
    papers.mkdir()
    heights = [300 + number for number in range(WHOLE + 2)]
    heights[40] = 150  # read slowly
    with pymupdf.open() as document:
        for height in heights:
            scan(tmp_path / "page.pdf", height=height)
            with pymupdf.open(tmp_path / "page.pdf") as page:
                document.insert_pdf(page)
        document.save(papers / "long.pdf")
    arguments = ["batch", papers, "--out", out, "--jobs", "1", *reading_options(plug, ocr="Deadly")]
    plug.with_name("slow").touch()
    with subprocess.Popen(command(*arguments), stderr=subprocess.PIPE, env=environment(), start_new_session=True) as process:
        wait_until(lambda: log.exists() and "page of 150 points" in log.read_text(), 100)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=30)
    plug.with_name("slow").unlink()
    read = [line for line in seen(plug) if line != "page of 150 points"]
    assert len(read) == 40
    done = docpipe(*arguments)
    assert done.returncode == 0, done.stderr
    again = [line for line in seen(plug) if line.startswith("page of")]
    assert not set(read) & set(again) and len(read) + len(again) == WHOLE + 2
    assert len(json.loads((out / "long.pdf.json").read_bytes())["pages"]) == WHOLE + 2


def test_a_document_that_takes_too_long_is_given_up(tmp_path, papers, plug):
    pdf(papers / "c.pdf", "SLEEP")
    out = tmp_path / "out"
    done = batch(papers, out, plug, "--timeout", "3")
    assert done.returncode == IncompleteError.exit_code
    assert {row["file"]: row["code"] for row in rows(out / "errors.jsonl")} == {"c.pdf": "deadline"}
    assert len(results(out)) == 2


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_batch_that_is_cut_short_goes_on_where_it_stopped(tmp_path, papers, plug, how):
    pdf(papers / "z.pdf", "SLEEP")
    out = tmp_path / "out"
    arguments = ["batch", papers, "--out", out, "--jobs", "1", *reading_options(plug)]
    place = tmp_path / "tmp"
    place.mkdir()
    own = environment(TMPDIR=str(place))
    with subprocess.Popen(command(*arguments), stderr=subprocess.PIPE, env=own, start_new_session=True) as process:
        wait_until(lambda: "SLEEP" in (plug.with_name("seen.txt").read_text() if plug.with_name("seen.txt").exists() else ""))
        if how == signal.SIGINT:
            os.killpg(process.pid, how)  # what a terminal does
            _, err = process.communicate(timeout=30)
            assert process.returncode == 130
            assert last_line(err).startswith("docpipe: error: interrupted: ")
            assert err.count(b"\n") == 1, err
        else:
            os.killpg(process.pid, how)
            process.communicate(timeout=30)
    assert set(results(out)) == {"a.pdf.json", "b/a.pdf.json"}
    seen(plug)
    pdf(papers / "z.pdf", "Omega")
    assert len(list(place.glob("docpipe-batch-*"))) == (how == signal.SIGKILL)
    done = docpipe(*arguments, TMPDIR=str(place))
    assert done.returncode == 0, done.stderr
    assert seen(plug) == ["Omega"]
    assert list(place.glob("docpipe-batch-*")) == [], "nor is anything left of the call that was killed"
    assert len(rows(out / "results.jsonl")) == 3


def test_a_damaged_ledger_is_named_and_may_be_deleted(tmp_path, papers, plug):
    out = tmp_path / "out"
    assert batch(papers, out, plug).returncode == 0
    for file in (out / ".docpipe").glob("ledger.sqlite*"):
        file.write_bytes(b"garbage " * 200)
    done = batch(papers, out, plug)
    assert done.returncode == LedgerError.exit_code and b"the ledger is damaged" in done.stderr
    for file in (out / ".docpipe").glob("ledger.sqlite*"):
        file.unlink()
    assert batch(papers, out, plug).returncode == 0
    assert seen(plug) == ["Alpha", "Alpha", "Beta", "Beta"]


def test_only_one_batch_writes_to_a_folder(tmp_path, papers, plug):
    out = tmp_path / "out"
    with Shelf(papers, out).locked():
        done = batch(papers, out, plug)
    assert done.returncode == 2 and b"another batch is writing there" in done.stderr


def test_progress_shows_count_rate_and_time_left(tmp_path, papers, plug):
    done = batch(papers, tmp_path / "out", plug, "--progress", "--quiet")
    assert done.stdout == b""
    text = done.stderr.decode()
    assert "2/2" in text and ("doc/s" in text or "s/doc" in text) and "<" in text


def test_odd_names_keep_their_folders(tmp_path, plug):
    papers, out = tmp_path / "in", tmp_path / "out"
    names = ["영수증.pdf", "new\nline.pdf", os.fsdecode(b"d\xff") + "/x.pdf", "=1+1.pdf"]
    for number, name in enumerate(names):
        pdf(papers / name, f"File {number}")
    done = batch(papers, out, plug)
    assert done.returncode == 0, done.stderr
    assert [(out / f"{name}.json").is_file() for name in names] == [True] * 4
    assert {row["file"] for row in rows(out / "results.jsonl")} == {"영수증.pdf", "new\nline.pdf", "d\\xff/x.pdf", "=1+1.pdf"}
    assert "'=1+1.pdf" in [row["file"] for row in table(out / "results.csv")]


def test_what_is_a_document_of_the_batch(tmp_path):
    folder = tmp_path / "in"
    for name in ("a.pdf", "b/c.PNG", "b/.hidden.pdf", ".hidden/x.pdf", "out/r.json", "work/w.pdf", "notes.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()

    def names(**options):
        return [item.name for item in Shelf(folder, folder / "out", skip=[folder / "work"], **options).items()]

    assert names() == ["a.pdf", "b/c.PNG", "notes.txt"]
    assert names(only=["*.pdf", "b/*"]) == ["a.pdf", "b/c.PNG"]


def test_an_empty_folder_and_no_folder(tmp_path, plug):
    (tmp_path / "in").mkdir()
    done = batch(tmp_path / "in", tmp_path / "out", plug)
    assert done.returncode == 0 and (tmp_path / "out" / "results.jsonl").read_bytes() == b""
    assert done.stderr.startswith(b"docpipe: warning: in: the folder holds no files")
    pdf(tmp_path / "in" / "a.pdf")
    done = batch(tmp_path / "in", tmp_path / "out", plug, "--only", "*.png")
    assert done.returncode == 0 and done.stderr == b"docpipe: warning: in: no file matches --only '*.png'; nothing was read\n"
    assert batch(tmp_path / "in", tmp_path / "out", plug, "--only", "*.png", "--quiet").stderr == b""
    with pytest.raises(NotFoundError):
        Shelf(tmp_path / "nowhere", tmp_path / "out")
    with pytest.raises(UsageError):
        Shelf(tmp_path / "in", tmp_path / "in")


def test_a_call_that_cannot_work_reads_nothing(tmp_path, papers, plug):
    (tmp_path / "file").touch()
    for more, code in (
        (["--engines", "nonsense"], 2),
        (["--jobs", "0"], 2),
        (["--timeout", "-1"], 2),
        (["--out", tmp_path / "file" / "x"], 2),
        (["--work", tmp_path / "file" / "x"], 2),
        (["--work", tmp_path / "file"], 2),
    ):
        done = docpipe("batch", papers, "--out", tmp_path / "out", *reading_options(plug), *more)
        assert done.returncode == code and b"Traceback" not in done.stderr
    assert seen(plug) == []


def wait_until(holds, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.05)


def test_another_model_reads_again_where_an_engine_asks_one(tmp_path, monkeypatch):
    papers, out = tmp_path / "in", tmp_path / "out"
    pdf(papers / "a.pdf", "Alpha")
    monkeypatch.setenv("DOCPIPE_BACKEND", "replay")
    models = []
    for name in ("one", "other"):
        models.append(tmp_path / f"{name}.json")
        models[-1].write_text(json.dumps({"name": name, "answers": [{"text": json.dumps({"text": "Alpha"})}]}))

    def read(model: Path, engine: str) -> tuple[bytes, dict]:
        monkeypatch.setenv("DOCPIPE_MODEL__MODEL", str(model))
        done = docpipe("batch", papers, "--out", out, "--jobs", "1", "--engine", engine)
        assert done.returncode == 0, done.stderr
        return done.stdout, json.loads((out / "a.pdf.json").read_bytes())["producer"]["models"]

    assert read(models[0], "vlm")[1] == {"vlm": "one"}
    assert b"1 of them done before" in read(models[0], "vlm")[0]
    assert read(models[1], "vlm")[1] == {"vlm": "other"}
    read(models[1], "labels")
    assert b"1 of them done before" in read(models[0], "labels")[0], "no engine asks a model"
