"""OCR side by side: docpipe, rapidocr as shipped and, where it is installed, kreuzberg. CPU seconds, memory, first call, and the text.

    python benchmarks/ocr.py IMAGE ... [--rounds 2] [--engine ppocr --engine rapidocr] [--out OUT]

Every engine lives in a process of its own with one thread where it lets itself be told; each image goes to all of them in turn, so that
load from elsewhere falls on all alike. OUT/<engine>/<folder>__<folder>__<image>.json takes the texts, as a scorer of OCR reads them.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Read = Callable[[Path], str]


def docpipe_reader(name: str) -> Read:
    import cv2

    from docpipe.preprocess.tone import text_height
    from docpipe.records import Words
    from docpipe.words import load_ocr
    from docpipe.words.order import in_order
    from docpipe.words.text import page_text

    engine = load_ocr(name)
    cv2.setNumThreads(1)

    def read(path: Path) -> str:
        image = cv2.imread(str(path), cv2.IMREAD_ANYCOLOR)
        gray = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        lines = engine.read(image, text_height=text_height(gray))
        words = in_order(line.words for line in lines)
        return page_text(Words(page=1, width=image.shape[1], height=image.shape[0], source="ocr", words=words))

    return read


def rapidocr_reader() -> Read:
    from rapidocr import RapidOCR

    options = {
        "Det.limit_type": "max",
        "Det.limit_side_len": 960,
        "Global.use_cls": False,
        "Global.log_level": "critical",
        "EngineConfig.onnxruntime.intra_op_num_threads": 1,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    }
    engine = RapidOCR(params=options)
    return lambda path: "\n".join(engine(str(path)).txts or ())


def kreuzberg_reader() -> Read:
    import kreuzberg

    config = kreuzberg.ExtractionConfig(ocr=kreuzberg.OcrConfig(backend="tesseract", language="eng"), use_cache=False)
    return lambda path: str(kreuzberg.extract_file_sync(str(path), config=config).content)


READERS: dict[str, Callable[[], Read]] = {
    "ppocr": lambda: docpipe_reader("ppocr"),
    "tesseract": lambda: docpipe_reader("tesseract"),
    "rapidocr": rapidocr_reader,
    "kreuzberg": kreuzberg_reader,
}


def serve(name: str) -> None:
    """Read the images named on standard input, one line each, and answer each with a line of JSON."""
    read: Read | None = None
    for line in sys.stdin:
        wall, cpu = time.perf_counter(), _cpu()
        read = read or READERS[name]()
        text = read(Path(line.strip()))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(json.dumps({"text": text, "cpu": _cpu() - cpu, "wall": time.perf_counter() - wall, "peak": peak}), flush=True)


def _cpu() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


class Engine:
    """One engine in its process."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.answers: list[dict[str, Any]] = []
        command = [sys.executable, __file__, "--serve", name]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OMP_THREAD_LIMIT": "1"}
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)

    def ask(self, image: Path) -> dict[str, Any]:
        assert self._process.stdin and self._process.stdout
        print(image.resolve(), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} broke on {image}")
        self.answers.append(json.loads(line))
        return self.answers[-1]

    def close(self) -> None:
        self._process.communicate()

    def report(self) -> str:
        first, rest = self.answers[0], self.answers[1:] or self.answers
        cpu = statistics.fmean(answer["cpu"] for answer in rest)
        median = statistics.median(answer["cpu"] for answer in rest)
        return (
            f"{self.name:10} CPU s/page mean {cpu:.2f} median {median:.2f}; first call {first['cpu']:.2f} CPU s; "
            f"peak {max(answer['peak'] for answer in self.answers)} MB"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images", nargs="*", type=Path)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--engine", action="append", choices=sorted(READERS))
    parser.add_argument("--out", type=Path)
    parser.add_argument("--serve", choices=sorted(READERS))
    options = parser.parse_args()
    if options.serve:
        return serve(options.serve)
    default = ["ppocr", "rapidocr", *(["kreuzberg"] if importlib.util.find_spec("kreuzberg") else [])]
    engines = [Engine(name) for name in options.engine or default]
    for engine in engines:
        engine.ask(options.images[0])
    for turn in range(options.rounds):
        for place, image in enumerate(options.images):
            shift = (place + turn) % len(engines)
            for engine in engines[shift:] + engines[:shift]:
                answer = engine.ask(image)
                if options.out:
                    save(options.out / engine.name, image, answer["text"])
    for engine in engines:
        print(engine.report())
        engine.close()
    base = statistics.fmean(answer["cpu"] for answer in engines[0].answers[1:])
    for engine in engines[1:]:
        other = statistics.fmean(answer["cpu"] for answer in engine.answers[1:])
        print(f"{engines[0].name} takes {base / other:.2f} of {engine.name}")
    return None


def save(folder: Path, image: Path, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    name = "__".join(image.resolve().parts[-3:])
    (folder / f"{name}.json").write_text(json.dumps({"text": text}, ensure_ascii=False), "utf-8")


if __name__ == "__main__":
    main()
