"""Answers that must follow a schema: are all of them whole, and what does the mask cost?

    python benchmarks/constrained.py [--answers 1000] [--batch 16] [--most 600]

A small random model (tests/checkpoints.py), which would say anything, is asked for the built-in schemas under several budgets of tokens;
each answer must load into the schema's own class. Then the mask alone, and a batch of eight beside eight single questions.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from PIL import Image
from pydantic import BaseModel, ValidationError

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from checkpoints import checkpoint

from docpipe.backends import ModelOptions, Question, load_backend
from docpipe.backends._hf.decoding import Decoder, Row
from docpipe.backends._hf.grammar import Grammar, Vocabulary
from docpipe.fields import load_schema

SCHEMAS = ("invoice", "receipt", "form", "transcript", "tax_invoice_kr")
MONEY = {"type": "string", "pattern": r"^-?[0-9]{1,9}\.[0-9]{2}$"}
# The grammar's own date knows no leap years and has a year 0, which Python's does not.
DAY = {"type": "string", "pattern": r"^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])$"}
LARGE = 151_936


def wire(part: Any) -> Any:
    """The schema with everything bounded, required and free of numbers."""
    if isinstance(part, list):
        return [wire(one) for one in part]
    if not isinstance(part, dict):
        return part
    if {"type": "number"} in part.get("anyOf", ()):
        return {"anyOf": [MONEY, {"type": "null"}]}
    if part.get("format") == "date":
        return DAY
    kept = {key: wire(value) for key, value in part.items() if key not in ("default", "title", "description")}
    if "properties" in part:
        kept["properties"] = {name: wire(value) for name, value in part["properties"].items()}
        kept |= {"required": list(kept["properties"]), "additionalProperties": False}
    if part.get("type") == "string" and not part.keys() & {"enum", "const", "pattern", "format"}:
        kept["maxLength"] = 40
    if part.get("type") == "array":
        kept["maxItems"] = 8
    return kept


def together(backend: Any, questions: list[Question]) -> list[Any]:
    replies: list[Any] = [None] * len(questions)

    def one(at: int) -> None:
        replies[at] = backend.ask(questions[at])

    threads = [threading.Thread(target=one, args=(at,)) for at in range(len(questions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return replies


def answers(count: int, *, batch: int, most: int) -> None:
    backend = load_backend("qwen_vl", ModelOptions(model=str(checkpoint("qwen2_5_vl")), batch=batch, window=0.2, seconds=3600))
    image = Image.new("RGB", backend.fit(60, 60), "white")
    budgets = (most // 4, most // 2, most)
    whole: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    stops: Counter[str] = Counter()
    at = 0
    while at < count:
        name = SCHEMAS[at // batch % len(SCHEMAS)]
        schema: type[BaseModel] = load_schema(name)[0]
        bound = wire(schema.model_json_schema())
        questions = [
            Question(images=(image,), text=f"{name} {at + one}", schema=bound, most_tokens=max(shortest(backend, bound), budgets[one % 3]))
            for one in range(min(batch, count - at))
        ]
        for reply in together(backend, questions):
            asked[name] += 1
            stops[reply.stop] += 1
            try:
                schema.model_validate_json(reply.text)
                whole[name] += 1
            except ValidationError as problem:
                print(name, str(problem)[:300], reply.text[-200:])
        at += len(questions)
    backend.close()
    for name in SCHEMAS:
        print(f"{name}: {whole[name]} of {asked[name]} load into the schema")
    print(f"all: {whole.total()} of {asked.total()}; ended {dict(stops)}")


def shortest(backend: Any, schema: Any) -> int:
    """The least tokens that a document of this schema takes."""
    tokenizer = backend.processor.tokenizer
    vocabulary = Vocabulary(tokenizer, size=len(tokenizer), ends=[tokenizer.eos_token_id])
    return len(Grammar.start(vocabulary, schema).way_out(10_000) or ())


def large_tokenizer() -> Any:
    """As many tokens as Qwen's: bytes, and runs of letters and digits."""
    from itertools import islice, product
    from string import ascii_lowercase as letters

    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = [*product(letters, letters), *product("0123456789", "0123456789"), *(("Ġ", letter) for letter in letters)]
    for left, right in (("".join(two), letter) for two, letter in product(product(letters, letters), letters)):
        merges.append((left, right))
    merges += islice(((f"{a}{b}{c}", d) for a, b, c, d in product(letters, repeat=4)), LARGE - len(words) - len(merges) - 2)
    vocabulary = {word: at for at, word in enumerate([*words, *("".join(pair) for pair in merges)])}
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens(["<pad>", "</s>"])
    return PreTrainedTokenizerFast(tokenizer_object=made, eos_token="</s>", pad_token="<pad>")


def mask(steps: int = 400) -> None:
    """A step of decoding with 152,000 scores a row, with and without a schema."""
    import torch

    tokenizer = large_tokenizer()
    before = time.perf_counter()
    vocabulary = Vocabulary(tokenizer, size=LARGE, ends=[tokenizer.eos_token_id])
    singles = len(vocabulary.singles)
    print(f"vocabulary of {len(tokenizer):,} tokens, {singles} of one byte: {time.perf_counter() - before:.1f} s once per model")
    schema = wire(load_schema("invoice")[0].model_json_schema())
    before = time.perf_counter()
    start = Grammar.start(vocabulary, schema)
    print(f"the grammar of an invoice: {1000 * (time.perf_counter() - before):.0f} ms once per question")
    before = time.perf_counter()
    length = len(start.way_out(10_000) or ())
    print(f"the shortest invoice: {length} tokens, found in {1000 * (time.perf_counter() - before):.0f} ms")
    torch.manual_seed(1)
    for rows in (1, 8):
        for kind, most, grammar in (("free", 10_000, False), ("schema", 10_000, True), ("schema, near its end", length + 150, True)):
            made = [
                Row(most=most, ends=[tokenizer.eos_token_id], grammar=Grammar.start(vocabulary, schema) if grammar else None)
                for _ in range(rows)
            ]
            decoder = Decoder(made, deadline=time.monotonic() + 3600)
            times = []
            while len(times) < steps and not all(row.done for row in made):
                scores = torch.randn(rows, LARGE)
                begun = time.perf_counter()
                decoder(None, scores)
                times.append(1000 * (time.perf_counter() - begun))
            worst = statistics.quantiles(times, n=20)[-1]
            print(f"{rows} rows, {kind}: median {statistics.median(times):.2f} ms a step, 95 % {worst:.2f} ms, {len(times)} steps")


def batches() -> None:
    """Eight questions with images of four sizes, alone and together."""
    for name in ("qwen2_5_vl", "qwen3_vl"):
        took = {}
        for batch in (1, 8):
            backend = load_backend("qwen_vl", ModelOptions(model=str(checkpoint(name)), batch=batch, window=0.05))
            sizes = [backend.fit(*size) for size in ((300, 200), (120, 400), (60, 60), (400, 300))] * 2
            questions = [Question(images=(Image.new("RGB", size),), text=f"Question {at}", most_tokens=64) for at, size in enumerate(sizes)]
            together(backend, questions)
            begun = time.perf_counter()
            for _ in range(3):
                together(backend, questions)
            took[batch] = (time.perf_counter() - begun) / 3
            backend.close()
        print(f"{name}: 8 questions alone {took[1]:.2f} s, together {took[8]:.2f} s: {took[1] / took[8]:.1f} times as fast")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--most", type=int, default=600)
    given = parser.parse_args()
    mask()
    batches()
    answers(given.answers, batch=given.batch, most=given.most)


if __name__ == "__main__":
    main()
