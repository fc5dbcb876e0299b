"""What a true-sized Qwen-VL costs on a GPU: pages and visual tokens per second by batch, memory, share of the chip's bf16 peak.

    python benchmarks/gpu.py [--shape qwen2_5_vl_7b|qwen3_vl_8b|tiny] [--batches 1,4,16,64] [--answer 256] [--peak TFLOPS]

The weights are random, the shape is that of the published configurations, and the way is the real one: the backend, its batches, its
decoding. Pages are A4 at 150 dpi. Prefill is asked for one token, so that it is prefill alone that is timed. `tiny` runs anywhere, to try
the script.
"""

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from checkpoints import checkpoint

from docpipe.backends import ModelOptions, Question, Reply
from docpipe.backends.qwen_vl import QwenVl

A4 = (1240, 1754)  # pixels at 150 dpi
# Dense bf16 of one chip, in TFLOP/s, by what its name holds; from the makers' data sheets.
PEAKS = {"H200": 989.0, "H100": 989.0, "A100": 312.0, "L40S": 362.0, "4090": 165.0}
# From the config.json of the published checkpoints.
SHAPES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "tiny": ("qwen2_5_vl", {}, {}),
    "qwen2_5_vl_7b": (
        "qwen2_5_vl",
        {
            **{"hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28, "num_attention_heads": 28},
            **{"num_key_value_heads": 4, "vocab_size": 152064, "max_position_embeddings": 128000, "head_dim": 128},
            "rope_parameters": {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [16, 24, 24]},
        },
        {
            **{"depth": 32, "hidden_size": 1280, "intermediate_size": 3420, "num_heads": 16, "out_hidden_size": 3584},
            **{"window_size": 112, "fullatt_block_indexes": [7, 15, 23, 31]},
        },
    ),
    "qwen3_vl_8b": (
        "qwen3_vl",
        {
            **{"hidden_size": 4096, "intermediate_size": 12288, "num_hidden_layers": 36, "num_attention_heads": 32},
            **{"num_key_value_heads": 8, "vocab_size": 151936, "max_position_embeddings": 262144, "head_dim": 128},
            "rope_parameters": {"rope_type": "default", "rope_theta": 5e6, "mrope_section": [24, 20, 20], "mrope_interleaved": True},
        },
        {
            **{"depth": 27, "hidden_size": 1152, "intermediate_size": 4304, "num_heads": 16, "out_hidden_size": 4096},
            **{"num_position_embeddings": 2304, "deepstack_visual_indexes": [8, 16, 24]},
        },
    ),
}


class RandomQwen(QwenVl):
    """The family's model, made where it runs instead of read: no 16 GB go through a disk."""

    def load(self) -> Any:
        import torch
        from transformers import AutoModelForImageTextToText

        device = self._files.device
        with torch.device(device):
            model = AutoModelForImageTextToText.from_config(self.config, dtype=torch.bfloat16 if device.type == "cuda" else torch.float32)
        return model.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shape", choices=SHAPES, default="qwen2_5_vl_7b")
    parser.add_argument("--batches", default="1,4,16,64")
    parser.add_argument("--answer", type=int, default=256, help="tokens of each answer")
    parser.add_argument("--peak", type=float, help="the chip's dense bf16 peak in TFLOP/s, where its name is not known")
    options = parser.parse_args()
    import torch

    cuda = torch.cuda.is_available()
    chip = torch.cuda.get_device_name() if cuda else "CPU"
    peak = options.peak or next((value for name, value in PEAKS.items() if name in chip), None)
    with tempfile.TemporaryDirectory() as name:
        folder = write_shape(Path(name), options.shape)
        print(f"{options.shape} on {chip}, torch {torch.__version__}")
        for batch in map(int, options.batches.split(",")):
            backend = RandomQwen(ModelOptions(model=str(folder), batch=batch, window=1.0, seconds=600))
            pages = [page(number, backend) for number in range(batch)]
            ask(backend, pages, 1)  # loads, and warms up
            flops = count(backend, pages)
            if cuda:
                torch.cuda.reset_peak_memory_stats()
            prefill, replies = timed(backend, pages, 1)
            whole, _ = timed(backend, pages, options.answer)
            visual = sum(backend.image_tokens(*one.size) for one in pages)
            said = [
                f"batch {batch:3d}: {batch / whole:7.2f} pages/s with {options.answer} tokens each, prefill {batch / prefill:7.2f} pages/s",
                f"{visual / prefill:9.0f} visual tokens/s ({replies[0].usage.prompt_tokens} tokens a page)",
                f"{1e-12 * flops / prefill:.3g} TFLOP/s" + (f" = {1e-12 * flops / prefill / peak:.0%} of the peak" if peak else ""),
            ]
            if cuda:
                said.append(f"{torch.cuda.max_memory_allocated() / 2**30:.1f} GiB at the most")
            print(", ".join(said), flush=True)
            backend.close()
            if cuda:
                torch.cuda.empty_cache()


def write_shape(folder: Path, shape: str) -> Path:
    """A checkpoint's folder with a configuration of this shape and no weights."""
    family, text, vision = SHAPES[shape]
    made = folder / shape
    shutil.copytree(checkpoint(family), made, ignore=shutil.ignore_patterns("*.safetensors"))
    config = json.loads((made / "config.json").read_text())
    config["text_config"] |= text
    config["text_config"].pop("layer_types", None)  # made anew, one for each layer
    config["vision_config"] |= vision
    (made / "config.json").write_text(json.dumps(config))
    for file in made.glob("*processor*.json"):  # the tiny one sees little
        file.write_text(file.read_text().replace(str(512 * 512), str(16384 * 28 * 28)))
    return made


def page(number: int, backend: QwenVl) -> Image.Image:
    """A page of lines, no two alike."""
    image, lines = Image.new("RGB", backend.fit(*A4), "white"), random.Random(number)
    draw = ImageDraw.Draw(image)
    for line in range(40):
        draw.text((80, 60 + 40 * line), "".join(lines.choices("abcdefghij 0123456789", k=80)), fill="black")
    return image


def ask(backend: QwenVl, pages: Sequence[Image.Image], tokens: int) -> list[Reply]:
    """All at once, as the slots of a worker do."""
    with ThreadPoolExecutor(len(pages)) as slots:
        questions = [Question(images=(one,), text="What does the page say?", most_tokens=tokens) for one in pages]
        return list(slots.map(backend.ask, questions))


def timed(backend: QwenVl, pages: Sequence[Image.Image], tokens: int) -> tuple[float, list[Reply]]:
    """Seconds, without the window that a batch that is not full would wait; the best of three."""
    best, replies = float("inf"), []
    for _ in range(3):
        begin = time.monotonic()
        replies = ask(backend, pages, tokens)
        best = min(best, time.monotonic() - begin)
    return best, replies


def count(backend: QwenVl, pages: Sequence[Image.Image]) -> int:
    """The floating-point operations of the batch's prefill, as torch counts those of products and attention."""
    from torch.utils.flop_counter import FlopCounterMode

    answer = backend._engine._answer  # counted in this thread: the counter sees no other
    with FlopCounterMode(display=False) as counter:
        answer([Question(images=(one,), text="What does the page say?", most_tokens=1) for one in pages])
    return int(counter.get_total_flops())


if __name__ == "__main__":
    main()
