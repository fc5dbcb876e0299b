"""Read the documents of a truth file with docpipe and write their text, one JSON file each, for a scorer of OCR.

    python benchmarks/predict_text.py --truth TRUTH.jsonl --data DATA --out OUT [--pages RENDERED] [--language ko] [--ocr ppocr]

A truth line names its `document`, a path below DATA, and perhaps a `page`; with a page, RENDERED/<document with / as __>.p<page>.png is
read in its place, so that OCR is measured and not the text layer. Prints CPU seconds per document.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path

from docpipe.limits import Limits
from docpipe.preprocess import preprocess
from docpipe.records import Document, Job, ReadOptions, SchemaRef
from docpipe.words import OcrEngine, load_ocr, read_words
from docpipe.words.text import page_text
from docpipe.workspace import temporary


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--truth", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pages", type=Path)
    parser.add_argument("--language", action="append", default=[])
    parser.add_argument("--ocr", default="ppocr")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    ocr = load_ocr(options.ocr)
    seconds = []
    for line in options.truth.read_text("utf-8").splitlines():
        truth = json.loads(line)
        name = truth["document"].replace("/", "__") + (f".p{truth['page']}" if "page" in truth else "")
        source = options.pages / f"{name}.png" if options.pages else options.data / truth["document"]
        started = time.process_time()
        pages = read(source, ocr=ocr, languages=tuple(options.language))
        seconds.append(time.process_time() - started)
        (options.out / f"{name}.json").write_text(json.dumps({"pages": pages}, ensure_ascii=False), "utf-8")
    mean, median = statistics.fmean(seconds), statistics.median(seconds)
    print(f"{len(seconds)} documents, CPU s: mean {mean:.2f}, median {median:.2f}, most {max(seconds):.2f}")


def read(source: Path, *, ocr: OcrEngine, languages: tuple[str, ...]) -> list[dict[str, object]]:
    """The text of every page that can be read; without the rendering process's own CPU time."""
    job = Job(
        id="text",
        source=source,
        document=Document(name=source.name, sha256="", media_type=""),
        schema_ref=SchemaRef(name="transcript", sha256=""),
        options=ReadOptions(languages=languages),
    )
    with temporary() as space:
        job, pages = preprocess(job, space=space, limits=Limits())
        readable = [page for page in pages if page.status == "done"]
        words = [read_words(page, ocr=ocr, languages=languages, space=space) for page in readable]
    return [{"page": found.page, "text": page_text(found)} for found in words]


if __name__ == "__main__":
    main()
