"""Tell the documents of truth files apart by their words: a confusion matrix, how well scores are calibrated, CPU per page.

    python benchmarks/classify.py --truth TRUTH.jsonl ... --data DATA --schemas FOLDER --cache FOLDER [--unknown FOLDER ...] [--half 0|1]

A truth line names its `document`, a path below DATA, and its `schema`: a built-in name, or the name of a file of --schemas. The PDFs and
images of the folders --unknown are of no class. Words are read once, of the first 5 pages, and kept in --cache. --half takes one half of
the vendors only, by a hash of the merchant's, advertiser's, registrant's or seller's name; the weights were fitted on half 0.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import json
import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from docpipe.classify import UNKNOWN, DocumentClass, PageVerdict, load_classes, vote_document
from docpipe.classify.words import WordsClassifier
from docpipe.cli import GARBAGE
from docpipe.errors import DocpipeError
from docpipe.limits import Limits
from docpipe.preprocess import identify, preprocess, survey
from docpipe.records import Job, ReadOptions, Record, SchemaRef, Words
from docpipe.settings import read_settings
from docpipe.source import readable
from docpipe.words import OcrEngine, load_ocr, read_words
from docpipe.workspace import temporary

PAGES = 5
PARTIES = ("merchant.name", "advertiser", "registrant_name", "seller.name")
_CLASS = re.compile(r"^class (\w+)\(BaseModel\)", re.MULTILINE)


class Seen(Record):
    """The words of a document's first pages."""

    pages: tuple[Words, ...]


class Paper(NamedTuple):
    """One document, what it is, and who made it."""

    source: Path
    schema: str
    vendor: str


def main() -> None:
    gc.set_threshold(GARBAGE)  # as a command does
    options = parser(__doc__).parse_args()
    papers, words, classes, called = prepared(options)
    picked = [(paper, pages) for paper, pages in zip(papers, words, strict=True) if options.half in (None, half(paper))]
    report(picked, classes, called)


def parser(about: str | None) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--truth", type=Path, nargs="+", required=True)
    made.add_argument("--data", type=Path, required=True)
    made.add_argument("--schemas", type=Path, required=True)
    made.add_argument("--cache", type=Path, required=True)
    made.add_argument("--unknown", type=Path, nargs="*", default=[])
    made.add_argument("--half", type=int, choices=(0, 1))
    return made


def prepared(options: argparse.Namespace) -> tuple[list[Paper], list[Seen], tuple[DocumentClass, ...], dict[str, str]]:
    """The documents that could be opened with their words, the classes, and each class's name in the truth files."""
    options.cache.mkdir(parents=True, exist_ok=True)
    found = list(papers(options))
    names = sorted({paper.schema for paper in found} - {UNKNOWN})
    classes = load_classes([reference(name, options.schemas) for name in names])
    ocr = load_ocr("ppocr", cache=read_settings().cache)
    read = [(paper, pages) for paper in found if (pages := seen(paper, options.cache, ocr)) is not None]
    called = dict(zip([one.name for one in classes], names, strict=True))
    return [paper for paper, _ in read], [pages for _, pages in read], classes, called


def papers(options: argparse.Namespace) -> Iterator[Paper]:
    """All documents, each once."""
    lines = [json.loads(line) for file in options.truth for line in file.read_text().splitlines()]
    for line in {line["document"]: line for line in lines}.values():
        yield Paper(options.data / line["document"], line["schema"], vendor(line))
    for folder in options.unknown:
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in (".pdf", ".png", ".jpg", ".jpeg", ".tif"):
                yield Paper(path, UNKNOWN, str(path.relative_to(options.data)))


def vendor(line: dict[str, Any]) -> str:
    if line.get("group"):
        return str(line["group"])
    party = next((party for party in PARTIES if line["fields"].get(party)), None)
    if party is None:
        return str(line["document"])
    said = line["fields"][party]
    return party + (said if isinstance(said, str) else said[0]).upper()[:12]


def half(paper: Paper) -> int:
    return int(hashlib.md5(paper.vendor.encode(), usedforsecurity=False).hexdigest(), 16) % 2


def reference(name: str, schemas: Path) -> str:
    """The schema as a class is named: its file where it is not built in."""
    file = schemas / f"{name}.py"
    return f"{file}:{_CLASS.findall(file.read_text())[-1]}" if file.exists() else name


def seen(paper: Paper, cache: Path, ocr: OcrEngine) -> Seen | None:
    """The words of the document; None where it cannot be opened."""
    kept = cache / f"{hashlib.sha256(str(paper.source).encode()).hexdigest()[:16]}.words.json"
    if kept.exists():
        return Seen.model_validate_json(kept.read_bytes())
    try:
        with readable(paper.source) as source, temporary() as space:
            job = Job(id="classify", source=source, document=identify(source, Limits()), schema_ref=SchemaRef(name="", sha256=""))
            job, numbers = survey(job, space=space, limits=Limits())
            job = job.model_copy(update={"options": ReadOptions(pages=tuple(numbers[:PAGES]))})
            _, pages = preprocess(job, space=space, limits=Limits())
            found = Seen(pages=tuple(read_words(page, ocr=ocr, languages=(), space=space) for page in pages if page.status == "done"))
    except DocpipeError as problem:
        print(f"left out: {problem}")
        return None
    kept.write_text(found.model_dump_json())
    return found


def report(read: Sequence[tuple[Paper, Seen]], classes: Sequence[DocumentClass], called: dict[str, str]) -> None:
    """Print who was taken for what, the sums, and the cost."""
    matrix: Counter[tuple[str, str]] = Counter()
    sure: list[tuple[float, bool]] = []
    spent: list[float] = []
    classifier = WordsClassifier()
    began = time.process_time()
    classifier.judge(Words(page=1, width=595, height=842, source="none"), None, classes)
    print(f"vocabulary: {1000 * (time.process_time() - began):.0f} ms CPU, once for each set of classes")
    for paper, pages in read:
        verdicts: list[PageVerdict] = []
        for page in pages.pages:
            began = time.process_time()
            verdicts.append(classifier.judge(page, None, classes))
            spent.append(time.process_time() - began)
        verdict = vote_document(verdicts)
        got = called.get(verdict.choice, UNKNOWN)
        matrix[paper.schema, got] += 1
        sure.append((verdict.score, got == paper.schema))
        if got != paper.schema:
            print(f"{paper.schema} -> {got} {verdict.score:.2f}  {paper.source.name}")
    print_matrix(matrix, [*called.values(), UNKNOWN])
    known = [(want, got, count) for (want, got), count in matrix.items() if want != UNKNOWN]
    right, wrong = sum(c for want, got, c in known if want == got), sum(c for want, got, c in known if got not in (want, UNKNOWN))
    print(f"known: {right} of {sum(count for *_, count in known)} right, {wrong} taken for another class, the rest unknown")
    print(f"unknown: {matrix[UNKNOWN, UNKNOWN]} of {sum(count for (want, _), count in matrix.items() if want == UNKNOWN)}")
    for least, most in ((0.0, 0.6), (0.6, 0.9), (0.9, 0.99), (0.99, 1.01)):
        inside = [(score, ok) for score, ok in sure if least <= score < most]
        if inside:
            mean, share = sum(score for score, _ in inside) / len(inside), sum(ok for _, ok in inside) / len(inside)
            print(f"score {least:.2f} to {min(most, 1.0):.2f}: {len(inside):3d} documents, mean {mean:.3f}, right {share:.3f}")
    spent.sort()
    print(f"{1000 * sum(spent) / len(spent):.1f} ms CPU a page ({len(spent)} pages; median {1000 * spent[len(spent) // 2]:.1f})")


def print_matrix(matrix: Counter[tuple[str, str]], names: Sequence[str]) -> None:
    print("| is, taken for | " + " | ".join(names) + " |")
    print("|---" * (len(names) + 1) + "|")
    for want in names:
        print(f"| {want} | " + " | ".join(str(matrix[want, got] or "") for got in names) + " |")


if __name__ == "__main__":
    main()
