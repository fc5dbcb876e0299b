"""Read the documents of a truth file with the whole pipeline and write one result file each, for a scorer of fields.

    python benchmarks/predict.py --truth TRUTH.jsonl --data DATA --out OUT [--schemas FOLDER] [--readings FOLDER] [--only TEXT]

A truth line names its `document`, a path below DATA, and its `schema`: a built-in name, or the name of a file of FOLDER. The work is done
in one other process, so that a document that ends it costs only itself. With --readings the stored readings are kept too.
Prints documents by status and CPU seconds a page.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from docpipe.api import Reader
from docpipe.errors import DocpipeError

_CLASS = re.compile(r"^class (\w+)\(BaseModel\)", re.MULTILINE)


@dataclass(frozen=True)
class Task:
    """One document to read: where it is, with which schema, and where its files go."""

    source: Path
    schema: str
    out: Path
    readings: Path | None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--truth", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--schemas", type=Path)
    parser.add_argument("--readings", type=Path)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    for folder in filter(None, (options.out, options.readings)):
        folder.mkdir(parents=True, exist_ok=True)
    seen: Counter[str] = Counter()
    pages, seconds = 0, 0.0
    pool = ProcessPoolExecutor(max_workers=1)
    for task in tasks(options):
        try:
            status, read, spent = pool.submit(predict, task).result()
        except BrokenProcessPool:
            pool, (status, read, spent) = ProcessPoolExecutor(max_workers=1), ("crashed", 0, 0.0)
        seen[status] += 1
        pages, seconds = pages + read, seconds + spent
        if status not in ("accepted", "review"):
            print(f"{status}: {task.source.name}")
    pool.shutdown()
    print(f"{dict(seen)}, {pages} pages, CPU s a page: {seconds / max(1, pages):.3f}")


def tasks(options: argparse.Namespace) -> list[Task]:
    """One task for every line of the truth."""
    found = []
    for line in options.truth.read_text("utf-8").splitlines():
        truth = json.loads(line)
        if options.only in truth["document"]:
            name = truth["document"].replace("/", "__") + ".json"
            readings = options.readings / name if options.readings else None
            found.append(Task(options.data / truth["document"], reference(truth["schema"], options.schemas), options.out / name, readings))
    return found


def reference(name: str, folder: Path | None) -> str:
    """How docpipe is asked for the schema: its bare name, or the last class of the folder's file of that name."""
    file = folder / f"{name}.py" if folder else None
    if file is None or not file.exists():
        return name
    return f"{file}:{_CLASS.findall(file.read_text('utf-8'))[-1]}"


def predict(task: Task) -> tuple[str, int, float]:
    """Read one document and write its result; its status, pages and CPU seconds."""
    started = time.process_time()
    with TemporaryDirectory() as folder:
        work = Path(folder) / "work"
        try:
            result = reader(task.schema).read(task.source, work=work)
        except DocpipeError as problem:
            return f"{problem.code} ({problem.message})", 0, time.process_time() - started
        task.out.write_text(result.to_json(indent=None), "utf-8")
        if task.readings is not None:
            task.readings.write_bytes((work / "readings.json").read_bytes())
    return result.status, len(result.pages), time.process_time() - started


@lru_cache(maxsize=8)
def reader(schema: str) -> Reader[Any]:
    """One reader per schema and process: its models are loaded once."""
    return Reader(schema)


if __name__ == "__main__":
    main()
