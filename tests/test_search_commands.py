"""`docpipe index` and `docpipe search`: the samples, files with results, jobs of the queue, and what may go wrong."""

import contextlib
import hashlib
import json
import random
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import numpy as np
import pymupdf
import pytest
from faces import ROOT, command, docpipe, environment, last_line, pdf, plugins, scan
from looks import pages
from looks.judgements import UNSEEN
from looks.train import CHECKPOINT
from PIL import Image

from docpipe import errors
from docpipe.classify._zero_shot.prompts import options_of, prompts
from docpipe.cli import main
from docpipe.client import Client
from docpipe.ledger import LANES, dispatch, open_ledger
from docpipe.records import Document, Field, Producer, ReadOptions, Result, SchemaRef
from docpipe.request import Request
from docpipe.search import open_index, search
from docpipe.steps import Steps
from docpipe.store import Store

pytestmark = pytest.mark.classify
SAMPLES = ROOT / "samples"
PAGES = 25
INK = f"{ROOT / 'tests' / 'ink.py'}:Ink"
SEEING = f"clip={CHECKPOINT}"  # trained on drawn pages
EACH = 5  # unseen pages of a kind
TWINS = {"invoice_scan.pdf": "invoice.pdf", "upside_down_scan.pdf": "rotated.pdf"}  # a scan and what was scanned
DRAWN = sorted(path for path in SAMPLES.iterdir() if path.suffix in (".pdf", ".tif", ".jpg"))


@pytest.fixture(scope="session")
def samples(tmp_path_factory) -> str:
    """The URL of an index of every sample."""
    url = f"sqlite:///{tmp_path_factory.mktemp('samples') / 'search.sqlite'}"
    assert main(["index", *map(str, DRAWN), "--index", url, "--looks", INK]) == 0
    return url


@pytest.fixture
def url(tmp_path, monkeypatch) -> str:
    """Where the commands' index lies."""
    made = f"sqlite:///{tmp_path / 'index' / 'search.sqlite'}"
    monkeypatch.setenv("DOCPIPE_INDEX", made)
    return made


def asked(capsys, *arguments: str | Path) -> list[dict]:
    """What a search with --json prints."""
    capsys.readouterr()
    assert main(["search", "--json", *map(str, arguments)]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def names(answers: list[dict]) -> list[str]:
    return [answer["document"]["name"] for answer in answers]


def result(path: Path, status: str = "accepted", **fields: str) -> Path:
    """A result of the document, in a file beside it."""
    document = Document(name=path.name, sha256=hashlib.sha256(path.read_bytes()).hexdigest(), media_type="application/pdf", pages=1)
    found = tuple(Field(path=name, value=value, page=1, engine="labels", confidence=0.9) for name, value in fields.items())
    ref, producer = SchemaRef(name="invoice", sha256="0" * 64), Producer(docpipe="test")
    made = Result(status=status, document=document, schema_ref=ref, data=dict(fields), fields=found, producer=producer)
    target = path.with_name(f"{path.name}.json")
    target.write_text(made.to_json())
    return target


# ---- the samples -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", DRAWN, ids=lambda path: path.name)
def test_every_sample_is_found_by_its_words_its_number_and_its_look(samples, path, capsys, tmp_path):
    data = json.loads((SAMPLES / "expected" / f"{path.stem}.json").read_text())["data"]
    words = {"receipt_photo": data.get("merchant"), "tax_invoice_kr": data.get("supplier"), "form": {"name": "Marta Kowalczyk"}}
    own = (words.get(path.stem) or data["seller"])["name"]
    number = data.get("invoice_number") or data.get("approval_number") or data.get("total") or "19 August 1988"
    for query in (own, number):
        answers = asked(capsys, query, "--index", samples)
        assert path.name in names(answers) and set(names(answers)) <= {path.name, *TWINS, *TWINS.values()}, query
        assert all(answer["whole"] and answer["box"] and answer["hits"] for answer in answers)
    likeliest = asked(capsys, "--like", path, "--looks", INK, "--index", samples, "--limit", "2")[0]
    assert (likeliest["document"]["name"], likeliest["page"]) == (path.name, 1) and likeliest["cosine"] > 0.99
    seen = asked(capsys, "--like", snapshot(path, tmp_path), "--looks", INK, "--index", samples, "--limit", "1")
    assert TWINS.get(names(seen)[0], names(seen)[0]) == TWINS.get(path.name, path.name), "a small, gray, noisy picture of it finds it too"


def test_every_sample_is_found_by_its_look_with_a_trained_model(capsys, url):
    assert main(["index", *map(str, DRAWN), "--looks", SEEING]) == 0
    for path in DRAWN:
        likeliest = asked(capsys, "--like", path, "--looks", SEEING, "--limit", "1")[0]
        assert (likeliest["document"]["name"], likeliest["page"]) == (path.name, 1) and likeliest["cosine"] > 0.99


def test_unseen_pages_are_found_by_what_they_look_like_and_by_words_for_it(capsys, url, tmp_path):
    kinds = pages.pile(tmp_path / "pile.pdf", EACH, seed=UNSEEN)
    assert main(["index", str(tmp_path / "pile.pdf"), "--looks", SEEING]) == 0
    captions = {option.name: prompts(option.phrases[-1])[0] for option in options_of(pages.classes())}
    for kind in pages.CLASSES:
        mine = {number for number, one in enumerate(kinds, 1) if one == kind}
        with pymupdf.open() as other:
            pages.draw(other, kind, random.Random(f"another {kind}"), faces=pages.OTHER_FACES)
            other.save(tmp_path / f"{kind}.pdf")
        for how in (("--like", tmp_path / f"{kind}.pdf"), (captions[kind],)):
            found = asked(capsys, *how, "--looks", SEEING, "--limit", str(EACH))
            assert len({answer["page"] for answer in found} & mine) >= EACH - 1, (kind, how)


def snapshot(path: Path, folder: Path) -> Path:
    """The first page as somebody would have it in a small picture."""
    if path.suffix != ".pdf":
        with Image.open(path) as opened:
            image = opened.convert("L")
    else:
        with pymupdf.open(path) as document:
            drawn = document[0].get_pixmap(dpi=60, colorspace="gray")
            image = Image.frombytes("L", (drawn.width, drawn.height), drawn.samples)
    image = image.rotate(180) if path.stem == "upside_down_scan" else image
    pixels = np.asarray(image.resize((image.width * 700 // image.height, 700)), dtype=np.int16)
    noisy = (pixels + np.random.default_rng(1).integers(-12, 13, pixels.shape)).clip(0, 255).astype(np.uint8)
    target = folder / "snapshot.png"
    Image.fromarray(noisy).save(target)
    return target


def test_the_korean_sample_is_found_by_two_syllables_and_by_a_part_of_a_compound(samples, capsys):
    for query in ("계산", "세금", "공급", "한들", "기계 주식회사"):
        assert names(asked(capsys, query, "--index", samples)) == ["tax_invoice_kr.pdf"], query


def test_text_and_look_together_and_how_answers_read(samples, capsys):
    both = asked(capsys, "Lindenhof", "--like", SAMPLES / "invoice_scan.pdf", "--looks", INK, "--index", samples)
    assert both[0]["document"]["name"] == "invoice_scan.pdf" and both[0]["text_rank"] and both[0]["look_rank"] == 1
    assert main(["search", "F25-0392", "--limit", "1", "--index", samples]) == 0
    place, snippet = capsys.readouterr().out.splitlines()
    assert place.startswith(("rotated.pdf page 1 at ", "upside_down_scan.pdf page 1 at ")) and place.endswith("[text 1]")
    assert "[F25-0392]" in snippet
    assert main(["search", "unheard-of", "--index", samples]) == 0
    out, err = capsys.readouterr()
    assert out == "" and err == "docpipe: nothing found\n"


# ---- files -----------------------------------------------------------------------------------------------------------


def test_what_is_there_is_not_read_again(url, tmp_path, capsys):
    plug, paper = plugins(tmp_path), scan(tmp_path / "scan.pdf", height=220)
    arguments = ["index", str(paper), "--ocr", f"{plug}:Deadly"]
    assert main(arguments) == 0 and main(arguments) == 0
    assert capsys.readouterr().out.splitlines() == ["scan.pdf: added", "scan.pdf: same"]
    assert plug.with_name("seen.txt").read_text().count("page of") == 1


def test_fields_come_from_results_and_follow_them(url, tmp_path, capsys):
    paper = pdf(tmp_path / "papers" / "oak.pdf", "Oak boards")
    beside = result(paper, seller="Acme")
    assert main(["index", str(paper), "--results", str(tmp_path / "papers")]) == 0
    assert names(asked(capsys, "seller:acme")) == ["oak.pdf"]
    result(paper, "review", seller="Nordlicht")
    assert main(["index", str(paper), "--results", str(beside)]) == 0
    assert capsys.readouterr().out == "oak.pdf: updated\n"
    assert asked(capsys, "seller:acme") == []
    (answer,) = asked(capsys, "seller=nordlicht status:review boards")
    assert (answer["schema_name"], answer["status"], answer["fields"][0]["value"]) == ("invoice", "review", "Nordlicht")
    assert main(["index", str(paper)]) == 0 and names(asked(capsys, "seller=nordlicht")) == ["oak.pdf"], "without results they stay"
    code = main(["index", str(paper), "--results", str(paper)])
    assert code == errors.MismatchError.exit_code and "not a result" in capsys.readouterr().err


def test_looks_may_be_added_later(url, tmp_path, capsys):
    paper = pdf(tmp_path / "oak.pdf", "Oak boards")
    assert main(["index", str(paper)]) == 0
    assert main(["search", "--like", str(paper)]) == errors.UsageError.exit_code
    assert main(["search", "--like", str(paper), "--looks", INK]) == errors.UsageError.exit_code
    assert "no page of the index has a look" in capsys.readouterr().err
    assert [main(["index", str(paper), "--looks", INK]) for _ in range(2)] == [0, 0]
    assert capsys.readouterr().out.splitlines() == ["oak.pdf: updated", "oak.pdf: same"]
    assert names(asked(capsys, "--like", paper, "--looks", INK)) == ["oak.pdf"]
    code = main(["index", str(pdf(tmp_path / "new.pdf", "New")), "--looks", f"{INK}=other"])
    assert code == errors.MismatchError.exit_code and "--rebuild" in capsys.readouterr().err
    assert main(["index", "--rebuild", "--status"]) == 0
    assert "1, 0 of them with a look" in capsys.readouterr().out


def test_documents_are_dropped_by_file_and_by_hash(url, tmp_path, capsys):
    papers = [pdf(tmp_path / f"{name}.pdf", f"Oak {name}") for name in ("one", "two", "three")]
    assert main(["index", *map(str, papers)]) == 0
    sha256 = hashlib.sha256(papers[1].read_bytes()).hexdigest()
    assert main(["index", "--drop", str(papers[0]), "--drop", sha256]) == 0
    assert names(asked(capsys, "oak")) == ["three.pdf"]
    assert main(["index", "--drop", sha256]) == errors.NotFoundError.exit_code
    assert "not in the index" in capsys.readouterr().err


def test_a_file_that_cannot_be_read_does_not_stop_the_others(url, tmp_path, capsys):
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.7 nothing")
    code = main(["index", str(broken), str(tmp_path / "none.pdf"), str(pdf(tmp_path / "good.pdf", "Oak"))])
    out, err = capsys.readouterr()
    assert code == errors.DamagedError.exit_code and out == "good.pdf: added\n" and "not_found: none.pdf" in err
    assert names(asked(capsys, "oak")) == ["good.pdf"]


# ---- jobs ------------------------------------------------------------------------------------------------------------


class Queue:
    """A ledger and a store, worked off in this process."""

    def __init__(self, folder: Path, url: str) -> None:
        self.ledger, self.store = open_ledger(f"sqlite:///{folder / 'ledger.sqlite'}"), Store(str(folder / "store"))
        self.client = Client(self.ledger, self.store, tenant="acme", index=url)

    def read(self, path: Path, schema: str = "transcript", *, whole: int = 0) -> str:
        job = self.client.submit(path, Request(schema_name=schema, options=ReadOptions(engines=("labels",))))
        steps = Steps(self.ledger, self.store, whole=whole)
        while sent := dispatch(self.ledger, slots=dict.fromkeys(LANES, 4)):
            for one in sent:
                steps.do(one.hint, owner="test")
        return job


@pytest.fixture
def queue(tmp_path, url, monkeypatch):
    made = Queue(tmp_path, url)
    for name, value in {"LEDGER": f"sqlite:///{tmp_path / 'ledger.sqlite'}", "STORE": str(tmp_path / "store"), "TENANT": "acme"}.items():
        monkeypatch.setenv(f"DOCPIPE_{name}", value)
    yield made
    made.ledger.close()


@pytest.mark.parametrize("whole", [0, 100], ids=["page by page", "in one go"])
def test_jobs_are_indexed_once_and_found_with_their_fields(queue, whole, tmp_path, capsys):
    job = queue.read(pdf(tmp_path / "oak.pdf", "Oak boards 1.234,50"), whole=whole)
    if not whole:
        queue.store.delete(f"acme/{job}/source")  # words that the items have left are enough
    assert main(["index", "--jobs"]) == 0
    assert capsys.readouterr().out.splitlines() == [f"{job} oak.pdf: added", "1 jobs were not indexed yet"]
    assert main(["index", "--jobs"]) == 0 and capsys.readouterr().out == "0 jobs were not indexed yet\n"
    (answer,) = asked(capsys, "1234.5 schema:transcript")
    assert (answer["document"]["name"], answer["jobs"], answer["status"]) == ("oak.pdf", [job], "accepted")
    assert names(asked(capsys, "oak", "--tenant", "other")) == []


def test_a_dropped_job_s_document_leaves_the_index_unless_another_job_has_it(queue, tmp_path, capsys):
    paper = pdf(tmp_path / "oak.pdf", "Oak boards")
    first, second = queue.read(paper), queue.read(paper, "form")
    lonely = queue.read(pdf(tmp_path / "pine.pdf", "Pine"))
    assert main(["index", "--jobs"]) == 0
    assert main(["drop", first, lonely]) == 0
    assert names(asked(capsys, "pine")) == [] and asked(capsys, "oak")[0]["jobs"] == [second]
    assert names(asked(capsys, "schema:transcript")) == [] and names(asked(capsys, "schema:form")) == ["oak.pdf"]
    time.sleep(0.01)
    assert queue.client.drop_ended(0.0) == 1 and asked(capsys, "oak") == []


def test_a_job_is_not_dropped_where_the_index_does_not_answer(queue, tmp_path, url, capsys):
    job = queue.read(pdf(tmp_path / "oak.pdf", "Oak boards"))
    assert main(["index", "--jobs"]) == 0
    Path(url.removeprefix("sqlite:///")).write_bytes(b"no database at all, but long enough to be looked at" * 100)
    assert main(["drop", job]) == errors.SearchIndexError.exit_code
    assert queue.client.job(job).ended, "so that dropping it can be tried again"


# ---- what may go wrong -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["mysql://host/x", "sqlite://", "sqlite:///:memory:", "no url", "sqlite:////proc/nowhere/search.sqlite"])
def test_a_place_that_cannot_be_one_is_a_setting_s_error(where, tmp_path):
    assert main(["index", str(pdf(tmp_path / "oak.pdf")), "--index", where]) == errors.SettingsError.exit_code


def test_there_is_nothing_to_search_before_something_was_indexed(url, capsys):
    assert main(["search", "oak"]) == errors.NotFoundError.exit_code
    assert "docpipe index" in capsys.readouterr().err and not Path(url.removeprefix("sqlite:///")).exists()
    assert main(["search"]) == main(["index"]) == errors.UsageError.exit_code


def test_a_server_that_is_not_there_is_an_error_of_the_index(tmp_path):
    where = f"postgresql+psycopg://nobody@/none?host={tmp_path}"
    assert main(["search", "oak", "--index", where]) == errors.SearchIndexError.exit_code


@pytest.mark.parametrize("left", [0.0, 0.3, 0.7])
def test_a_damaged_index_is_an_error_of_the_index(left, url, tmp_path):
    papers = [str(pdf(tmp_path / f"{number}.pdf", f"Oak number{number}", *["board"] * 9)) for number in range(6)]
    assert docpipe("index", *papers, DOCPIPE_INDEX=url).returncode == 0
    file = Path(url.removeprefix("sqlite:///"))
    whole = file.read_bytes()
    keep = int(left * len(whole))
    file.write_bytes(whole[:keep] + b"\xa5" * (len(whole) - keep))
    done = docpipe("search", "oak", "board", "number3", DOCPIPE_INDEX=url)
    assert done.returncode == errors.SearchIndexError.exit_code, done.stderr
    assert b"docpipe: error: index:" in done.stderr and b"Traceback" not in done.stderr


@pytest.mark.parametrize("damage", ["UPDATE search_page SET words = x'00'", "UPDATE search_holder SET facts = x'789c'"])
def test_damage_that_the_database_does_not_see_is_one_too(damage, url, tmp_path):
    paper = str(pdf(tmp_path / "paper.pdf", "Oak", "board"))
    assert docpipe("index", paper, DOCPIPE_INDEX=url).returncode == 0
    with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as database, database:
        database.execute(damage)
    for asked in (("search", "oak"), ("index", "--rebuild"), ("index", "--drop", paper)):
        done = docpipe(*asked, DOCPIPE_INDEX=url)
        assert done.returncode == errors.SearchIndexError.exit_code and b"the index is damaged" in done.stderr, done.stderr


def test_looks_need_the_package_that_compares_them(url, tmp_path):
    decoy = tmp_path / "decoy"
    decoy.mkdir()
    (decoy / "sqlite_vec.py").write_text("raise ImportError('not installed')")
    paper = pdf(tmp_path / "oak.pdf", "Oak")
    path = f"{decoy}:{ROOT}"
    done = docpipe("index", paper, "--looks", INK, DOCPIPE_INDEX=url, PYTHONPATH=path)
    assert done.returncode == errors.MissingError.exit_code and "docpipe[search]" in last_line(done.stderr)
    assert docpipe("index", paper, DOCPIPE_INDEX=url, PYTHONPATH=path).returncode == 0
    assert b"oak.pdf" in docpipe("search", "oak", DOCPIPE_INDEX=url, PYTHONPATH=path).stdout


def long_papers(folder: Path) -> list[Path]:
    """Documents of PAGES pages: each takes a while to put in."""
    made = []
    for number in range(4):
        with pymupdf.open() as document:
            for place in range(PAGES):
                sheet = document.new_page()
                for row in range(30):
                    sheet.insert_text(
                        (60, 60 + 20 * row), f"oak d{number} p{place} row {row} amount {row * place}.50 and some more words", fontsize=9
                    )
            document.save(folder / f"long{number}.pdf")
        made.append(folder / f"long{number}.pdf")
    return made


def test_an_indexer_that_is_killed_leaves_whole_documents_only(url, tmp_path):
    papers = long_papers(tmp_path)
    env = environment(DOCPIPE_INDEX=url)
    for moment in (0.0, 0.3):
        process = subprocess.Popen(command("index", *papers), env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(moment)
        process.send_signal(signal.SIGKILL)
        process.stdout.close()
        process.wait(30)
        index = open_index(url)
        figures = index.figures(tenant="default")
        assert figures.documents > 0 and figures.pages == PAGES * figures.documents
        assert len(search(index, "oak", most=1000)) == figures.pages, "and every page of theirs is found"
        index.close()
    assert docpipe("index", *papers, DOCPIPE_INDEX=url).returncode == 0
    index = open_index(url)
    assert len(search(index, "oak", most=1000)) == 4 * PAGES and len(search(index, "d3", most=1000)) == PAGES
    index.close()


def test_two_indexers_at_once_do_no_harm(url, tmp_path):
    papers = long_papers(tmp_path)[:2]
    env = environment(DOCPIPE_INDEX=url)
    both = [subprocess.Popen(command("index", *papers), env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(2)]
    said = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert b"".join(out for out, _ in said).count(b"added") == 2
    index = open_index(url)
    assert index.figures(tenant="default").pages == len(search(index, "oak", most=1000)) == 2 * PAGES
    index.close()
