"""Runs docpipe over damaged and hostile files, one process each, and records how each run ended.

    python benchmarks/hostile.py --truth hostile.jsonl --documents FOLDER --out FOLDER [--only TEXT] [--preprocess]

FOLDER/results.jsonl gets one line per run: document, exit_code, seconds, max_rss_mb (of the process and its children together),
pages, error_type, error_message; a document with a recorded password is run again with it. `--preprocess` runs that stage alone.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

KILLED_AFTER = 90.0
SAMPLE_SECONDS = 0.02
# The last line that the command writes when it fails: `docpipe: error: CODE: FILE: message (hint)`.
ERROR = re.compile(r"docpipe: error: (?P<code>\w+): (?P<rest>.*)", re.DOTALL)
STAGE_ONLY = """
import sys, tempfile
from pathlib import Path
from docpipe.errors import DocpipeError
from docpipe.limits import Limits
from docpipe.preprocess import identify, preprocess
from docpipe.records import Job, SchemaRef
from docpipe.workspace import Workspace
path, password = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None
try:
    with tempfile.TemporaryDirectory() as folder:
        job = Job(id="hostile", source=path, document=identify(path), schema_ref=SchemaRef(name="none", sha256=""))
        job, pages = preprocess(job, space=Workspace(Path(folder)), limits=Limits(), password=password)
except DocpipeError as problem:
    sys.stderr.write(f"docpipe: error: {problem}\\n")
    sys.exit(problem.exit_code)
if pages and all(page.status == "failed" for page in pages):
    sys.stderr.write(f"docpipe: error: failed: {path.name}: {pages[0].error}\\n")
    sys.exit(20)
print('{"pages": [%s]}' % ", ".join("0" for _ in pages))
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--truth", type=Path, required=True)
    parser.add_argument("--documents", type=Path, required=True, help="the folder that the paths in the truth file start from")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--preprocess", action="store_true", help="the first stage alone")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with (options.out / "results.jsonl").open("w") as results:
        for truth in map(json.loads, options.truth.read_text().splitlines()):
            if options.only not in truth["document"]:
                continue
            for password in dict.fromkeys((None, truth.get("password"))):
                result = run(options.documents / truth["document"], password, stage_only=options.preprocess)
                line = {"document": truth["document"], "with_password": password is not None, **result}
                print(json.dumps(line), file=results, flush=True)
                cost = f"{result['exit_code']:4} {result['seconds']:6.2f} s {result['max_rss_mb']:6.0f} MB"
                print(f"{cost}  {truth['document']}  {result['error_message'] or ''}")
    return 0


def run(path: Path, password: str | None, *, stage_only: bool) -> dict[str, Any]:
    """One file through one process."""
    command = [sys.executable, "-c", STAGE_ONLY, str(path)] if stage_only else [sys.executable, "-m", "docpipe", "run", str(path)]
    if password is not None:
        command += [password] if stage_only else ["--password", password]
    start = time.monotonic()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(command, stdout=out, stderr=err, start_new_session=True)
        peak = watch(process, start + KILLED_AFTER)
        seconds = time.monotonic() - start
        out.seek(0)
        err.seek(0)
        return {
            "exit_code": process.returncode,
            "seconds": round(seconds, 2),
            "max_rss_mb": round(peak / 2**20, 1),
            **outcome(process.returncode, out.read().decode("utf-8", "replace"), err.read().decode("utf-8", "replace")),
        }


def watch(process: subprocess.Popen[bytes], deadline: float) -> int:
    """Wait for the process; the most bytes that it and its descendants held at once."""
    peak = 0
    while process.poll() is None:
        peak = max(peak, sum(resident(pid) for pid in family(process.pid)))
        if time.monotonic() > deadline:
            process.kill()
        time.sleep(SAMPLE_SECONDS)
    return peak


def family(pid: int) -> list[int]:
    """The process and all below it."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return [pid]
    return [pid, *(member for child in children for member in family(int(child)))]


def resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def outcome(code: int, out: str, err: str) -> dict[str, Any]:
    """Pages of the result, or the type and the message of the error."""
    last = err.strip().splitlines()[-1] if err.strip() else ""
    found = ERROR.match(last)
    if code != 0:
        return {"pages": None, "error_type": found["code"] if found else None, "error_message": found["rest"] if found else last}
    try:
        pages = len(json.loads(out)["pages"])
    except (ValueError, KeyError, TypeError):
        pages = 0
    return {"pages": pages, "error_type": None, "error_message": None}


if __name__ == "__main__":
    sys.exit(main())
