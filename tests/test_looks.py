"""What a page looks like, as a vector: tiny checkpoints of every family; and which checkpoints are refused."""

import json
import shutil
import threading

import looking
import numpy as np
import pytest
from PIL import Image, ImageDraw

from docpipe import errors
from docpipe.looks import embedder_class
from docpipe.looks._towers import PICTURES, letterboxed

pytestmark = pytest.mark.classify
FAMILIES = ("clip", "align", "siglip2", "blip")
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def pictures(count: int) -> list[Image.Image]:
    noise = np.random.default_rng(3)
    sizes = [(60 + 20 * (number % 5), 90 + 10 * (number % 3)) for number in range(count)]
    return [Image.fromarray(noise.integers(0, 255, (height, width, 3), np.uint8)) for width, height in sizes]


def embedder(family: str, folder=None):
    return embedder_class(family)(str(folder or looking.checkpoint(family)))


@pytest.fixture(scope="module", params=FAMILIES)
def loaded(request):
    return embedder(request.param)


def test_vectors_are_one_long_and_lie_in_one_space(loaded):
    seen, said = loaded.images(pictures(3)), loaded.texts(["an invoice", "a letter"])
    assert seen.shape == (3, loaded.size) and said.shape == (2, loaded.size) and seen.dtype == said.dtype == np.float32
    assert np.allclose(np.linalg.norm([*seen, *said], axis=1), 1, atol=1e-5)
    assert loaded.images([]).shape == (0, loaded.size)


def test_a_picture_has_the_same_vector_in_every_batch_and_each_its_own(loaded):
    many = pictures(PICTURES + 2)
    together = loaded.images(many)
    assert np.allclose(together[-1], loaded.images(many[-1:])[0], atol=1e-5), "of the second batch"
    assert np.allclose(together[::-1], loaded.images(many[::-1]), atol=1e-5), "in order"
    assert not np.allclose(together[0], together[1], atol=1e-3)


def test_a_text_has_the_same_vector_beside_longer_ones_and_is_cut_at_the_limit(loaded):
    short, other, long = "an invoice", "a letter", "a receipt of a till " * 200
    together = loaded.texts([short, long, other])
    assert np.allclose(together[0], loaded.texts([short])[0], atol=1e-5) and not np.allclose(together[0], together[2], atol=1e-3)
    assert np.allclose(together[1], loaded.texts([f"{long} and more"])[0], atol=1e-5)


def test_several_threads_get_what_one_gets(loaded):
    alone, found = loaded.images(pictures(1)), []

    def look():
        found.append((loaded.images(pictures(1)), loaded.texts(["an invoice"])))

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(found) == 4 and all(np.allclose(seen, alone, atol=1e-5) for seen, _ in found)


@pytest.mark.parametrize("family", ["clip", "align"])
def test_log_odds_are_those_of_the_model_itself(family):
    import torch

    made = embedder(family)
    seen, said = made.pictures(pictures(2)), made.tokens(["an invoice", "a letter"])
    with torch.inference_mode():
        own = made.model(**seen, **said).logits_per_image.numpy()
    assert np.allclose(made.log_odds(made.images(pictures(2)), made.texts(["an invoice", "a letter"])), own, atol=1e-4)


def test_log_odds_of_siglip2_have_a_bias():
    import torch

    made = embedder("siglip2")
    seen, said = made.pictures(pictures(2)), made.tokens(["an invoice", "a letter"])
    with torch.inference_mode():
        own = made.model(**seen, input_ids=said["input_ids"]).logits_per_image.numpy()
    assert np.allclose(made.log_odds(made.images(pictures(2)), made.texts(["an invoice", "a letter"])), own, atol=1e-4)


def test_blip_says_of_each_text_whether_it_matches():
    import torch

    made, texts = embedder("blip"), ["an invoice", "a letter of some length"]
    found = made.matches(pictures(1)[0], texts)
    for text, odds in zip(texts, found, strict=True):
        read = made.tokens([text])
        with torch.inference_mode():
            no, yes = made.model(input_ids=read["input_ids"], **made.pictures(pictures(1)), use_itm_head=True).itm_score[0]
        assert odds == pytest.approx(float(yes - no), abs=1e-4)


def test_a_page_is_seen_whole_and_in_its_proportions():
    tall = Image.new("RGB", (100, 400), (255, 255, 255))
    ImageDraw.Draw(tall).rectangle((0, 0, 99, 399), outline=0, width=12)
    ink = letterboxed(tall, 64).convert("L").point(lambda level: 255 - level).getbbox()
    assert ink == (24, 0, 40, 64)


# ---- which model it is -----------------------------------------------------------------------------------------------


def test_the_same_weights_have_the_same_identity_and_others_another(tmp_path):
    from safetensors.torch import load_file, save_file

    first = embedder("clip")
    copy = shutil.copytree(looking.checkpoint("clip"), tmp_path / "copy")
    assert embedder("clip", copy).identity == first.identity and first.identity.startswith("CLIPModel@")
    weights = load_file(copy / "model.safetensors")
    weights["visual_projection.weight"][0, 0] += 1
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    assert embedder("clip", copy).identity != first.identity


def test_a_pinned_repository_that_was_fetched_is_found_without_a_hub(tmp_path):
    """A process of its own: the hub's package reads its variables as it is imported."""
    import os
    import subprocess
    import sys

    home = tmp_path / "models--somebody--pages"
    shutil.copytree(looking.checkpoint("clip"), home / "snapshots" / COMMIT)
    script = f"from docpipe.looks import embedder_class; print(embedder_class('clip')('somebody/pages@{COMMIT}').identity)"
    environment = os.environ | {"HF_HUB_CACHE": str(tmp_path), "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, f"CLIPModel@{COMMIT}\n"), done.stderr


def test_what_is_not_on_this_machine():
    with pytest.raises(errors.MissingError, match="no folder 'nothing'"):
        embedder("clip", "/nowhere/nothing")
    with pytest.raises(errors.MissingError, match="not on this machine") as caught:
        embedder("clip", f"docpipe-tests/none@{COMMIT}")
    assert f"hf download docpipe-tests/none --revision {COMMIT}" in caught.value.hint


@pytest.mark.parametrize("reference", ["openai/clip", "openai/clip@main", "openai/clip@abc123", f"openai/clip@{COMMIT[:-1]}"])
def test_what_is_not_pinned_is_refused(reference):
    with pytest.raises(errors.UsageError, match="not pinned"):
        embedder("clip", reference)


def test_no_checkpoint_is_not_the_folder_that_the_call_is_made_in(monkeypatch):
    monkeypatch.chdir(looking.checkpoint("clip"))
    with pytest.raises(errors.UsageError, match="no checkpoint is named"):
        embedder_class("clip")("")


@pytest.mark.parametrize("family", FAMILIES)
def test_a_folder_of_another_model_is_refused(family):
    other = "blip" if family != "blip" else "clip"
    with pytest.raises(errors.UsageError, match=f"{other} is a {other} model"):
        embedder(family, looking.checkpoint(other))


def test_a_folder_that_is_no_model(tmp_path):
    with pytest.raises(errors.UsageError, match="no model of transformers"):
        embedder("clip", tmp_path)
    (tmp_path / "config.json").write_text("[]")
    with pytest.raises(errors.UsageError, match="no model of transformers"):
        embedder("clip", tmp_path)


def test_a_pickle_is_never_opened(tmp_path):
    folder = shutil.copytree(looking.checkpoint("clip"), tmp_path / "pickled")
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'false'\ntR.")
    with pytest.raises(errors.UsageError, match="safetensors"):
        embedder("clip", folder)


def test_a_checkpoint_that_lacks_weights_is_refused(tmp_path):
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(looking.checkpoint("clip"), tmp_path / "thin")
    weights = load_file(folder / "model.safetensors")
    del weights["text_projection.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(errors.EngineError, match=r"lacks 1 of its weights, such as text_projection\.weight"):
        embedder("clip", folder)


def test_a_blip_that_only_captions_is_refused():
    import checkpoints

    with pytest.raises(errors.EngineError, match="lacks"):
        embedder("blip", checkpoints.checkpoint("blip"))


def test_broken_weights_are_an_error_and_no_vector(tmp_path):
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(looking.checkpoint("clip"), tmp_path / "broken")
    weights = load_file(folder / "model.safetensors")
    weights["visual_projection.weight"][:] = float("nan")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(errors.EngineError, match="no number"):
        embedder("clip", folder).images(pictures(1))


def test_code_that_comes_with_a_model_is_never_run(tmp_path):
    folder = shutil.copytree(looking.checkpoint("clip"), tmp_path / "coded")
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {"AutoConfig": "evil.Config", "AutoModel": "evil.Model"}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "evil.py").write_text(f"from pathlib import Path\nPath({str(tmp_path / 'ran')!r}).touch()\n")
    assert len(embedder("clip", folder).texts(["an invoice"])) == 1 and not (tmp_path / "ran").exists()
