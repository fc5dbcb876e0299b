"""What a page is by its picture: tiny checkpoints of every family through the seam, and a trained one that tells unseen pages apart."""

import json
import os
from pathlib import Path

import looking
import pytest
from faces import ROOT
from looks import pages
from looks.judgements import BLANK, UNSEEN, sideways
from looks.train import CHECKPOINT, captions, train
from PIL import Image

from docpipe import errors
from docpipe.calibration import Calibration, calibrate, calibration_error, load_calibration, negative_log_likelihood
from docpipe.classify import UNKNOWN, ClassifierOptions, DocumentClass, classifier_class, load_classes, softmax
from docpipe.classify._zero_shot.prompts import options_of
from docpipe.classify.clip import ClipClassifier
from docpipe.classify.oscar import tags
from docpipe.cli import main
from docpipe.records import Word, Words
from docpipe.request import make_request
from docpipe.settings import Settings
from docpipe.sorting import sort_document

pytestmark = pytest.mark.classify
SAMPLES = ROOT / "samples"
FAMILIES = ("clip", "align", "siglip2", "blip", "oscar")
EACH = 7  # unseen pages of a kind


def lying(*families: str, **more: str) -> dict[str, str]:
    """Where the tiny checkpoints of these families lie, and the detector of the last."""
    found = {family: str(looking.checkpoint(family)) for family in families}
    return {**found, **({"oscar_detector": str(looking.checkpoint("yolos"))} if "oscar" in families else {}), **more}


def judged(path: Path, *families: str, classes=None, **more: str):
    request = make_request(Settings(checkpoints=lying(*families, **more)))
    return sort_document(path, request, classes or load_classes(["invoice", "receipt"]), classifiers=families)


@pytest.fixture
def run(capsysbinary, monkeypatch):
    """`docpipe classify` in this process, with these checkpoints: (exit code, stdout, stderr)."""

    def run(*arguments: object, **checkpoints: object) -> tuple[int, str, str]:
        for name, folder in checkpoints.items():
            monkeypatch.setenv(f"DOCPIPE_CHECKPOINTS__{name.upper()}", str(folder))
        code = main(["classify", *(os.fspath(one) if isinstance(one, Path) else str(one) for one in arguments)])
        out, err = capsysbinary.readouterr()
        return code, out.decode(), err.decode()

    return run


# ---- the way from a page to a verdict --------------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_gives_probabilities(family):
    (found,) = judged(SAMPLES / "rotated.pdf", family).pages
    assert (found.classifier, found.error, set(found.scores)) == (family, None, {"invoice", "receipt", UNKNOWN})
    assert sum(found.scores.values()) == pytest.approx(1) and found.scores["invoice"] != pytest.approx(found.scores["receipt"], abs=1e-6)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_verdict_depends_on_the_picture_and_not_on_how_often_it_is_asked(family):
    kind = classifier_class(family)(ClassifierOptions(checkpoints=lying(family)))
    classes = load_classes(["invoice", "receipt"])
    white, black = (Image.new("RGB", (200, 300), (level,) * 3) for level in (255, 0))
    first, other, again = (kind.judge(BLANK, image, classes) for image in (white, black, white))
    assert first == again and first.scores != other.scores
    with pytest.raises(errors.EngineError, match="no picture"):
        kind.judge(BLANK, None, classes)


def test_words_and_pictures_vote_and_no_backend_is_needed(run):
    code, out, err = run(SAMPLES / "rotated.pdf", "--classifier", "words,clip", "--json", clip=looking.checkpoint("clip"))
    (found,) = json.loads(out)["pages"]
    assert (code, err, found["classifier"]) == (0, "", "words+clip") and found["signs"]
    alone = json.loads(run(SAMPLES / "rotated.pdf", "--json")[1])["pages"][0]["scores"]
    seen = json.loads(run(SAMPLES / "rotated.pdf", "--json", "--classifier", "clip")[1])["pages"][0]["scores"]
    assert found["scores"] == pytest.approx({name: (alone.get(name, 0) + seen[name]) / 2 for name in seen})


def test_a_classifier_without_its_checkpoint_or_with_anothers(run, tmp_path):
    paper = SAMPLES / "rotated.pdf"
    code, out, err = run(paper, paper, "--classifier", "clip")
    assert (code, out, err.count("DOCPIPE_CHECKPOINTS__CLIP")) == (errors.UsageError.exit_code, "", 1)
    assert run(paper, "--classifier", "clip", clip=tmp_path / "none")[0] == errors.MissingError.exit_code
    assert run(paper, "--classifier", "clip", clip=looking.checkpoint("align"))[0] == errors.UsageError.exit_code
    code, _, err = run(paper, "--classifier", "oscar", oscar=looking.checkpoint("oscar"))
    assert code == errors.UsageError.exit_code and "OSCAR_DETECTOR" in err


def test_a_model_that_breaks_is_an_error_of_the_page(tmp_path):
    import shutil

    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(looking.checkpoint("clip"), tmp_path / "broken")
    weights = load_file(folder / "model.safetensors")
    weights["visual_projection.weight"][:] = float("nan")
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (found,) = judged(SAMPLES / "rotated.pdf", "clip", clip=str(folder)).pages
    assert found.error is not None and found.error.startswith("engine: ") and "no number" in found.error


# ---- captions and probabilities --------------------------------------------------------------------------------------


def test_a_class_is_called_by_its_name_and_the_begin_of_its_description():
    options = {option.name: option.phrases for option in options_of(load_classes(["tax_invoice_kr", "slip=Pay slip of a month; more"]))}
    assert options["slip"] == ("slip", "pay slip of a month") and options["tax_invoice_kr"][0] == "tax invoice kr"
    assert options_of([DocumentClass("x.py:HiveReport", "")])[0].phrases == ("hive report",)


def test_what_else_a_page_may_be_is_not_what_a_class_is():
    names = [DocumentClass("photo", "A photo"), DocumentClass("terms_of_use", "Terms"), DocumentClass("separator", "x")]
    options = {option.name: option.phrases for option in options_of(names)}
    assert "a photograph" not in options[UNKNOWN] and "a map" in options[UNKNOWN]
    assert "terms" not in options and options["separator"] == ("separator", "x") and options["cover"]


def test_options_that_are_judged_each_by_itself_may_all_be_wrong():
    assert softmax({"a": -20.0, "b": -20.0}, alone=True)[UNKNOWN] == pytest.approx(1)
    assert softmax({"a": -20.0, "b": -20.0}, alone=False) == pytest.approx({"a": 0.5, "b": 0.5, UNKNOWN: 0})
    assert softmax({"a": 900.0, UNKNOWN: -900.0}, alone=True)["a"] == pytest.approx(1)


# ---- regions and words together --------------------------------------------------------------------------------------


def test_tags_follow_the_regions():
    words = tuple(Word(text, x, 10, x + 10, 20) for text, x in (("left", 0), ("middle", 45), ("right", 90)))
    page = Words(page=1, width=100, height=100, source="ocr", words=words)
    assert tags(page, []) == "left middle right"
    assert tags(page, [(0.8, 0.0, 1.0, 1.0), (0.4, 0.0, 1.0, 0.5)]) == "right middle left"


@pytest.mark.parametrize("detector", ["yolos", "rt_detr"])
def test_the_words_of_a_page_count_and_so_do_its_regions(detector):
    oscar = classifier_class("oscar")(ClassifierOptions(checkpoints=lying("oscar", oscar_detector=str(looking.checkpoint(detector)))))
    classes, image = load_classes(["invoice", "receipt"]), Image.new("RGB", (200, 300), (255, 255, 255))
    printed = BLANK.model_copy(update={"words": (Word("Invoice", 10, 10, 60, 20),), "source": "ocr"})
    long = BLANK.model_copy(update={"words": (Word("Invoice", 10, 10, 60, 20),) * 900, "source": "ocr"})
    none, some, many = (oscar.judge(words, image, classes).scores for words in (BLANK, printed, long))
    assert none != some != many and sum(many.values()) == pytest.approx(1)
    assert oscar.judge(printed, Image.new("RGB", (200, 300)), classes).scores != some


def test_a_detector_whose_regions_do_not_fit_is_refused():
    other = str(looking.checkpoint("yolos", region=16))
    with pytest.raises(errors.UsageError, match="gives 16 numbers a region, oscar takes 32"):
        classifier_class("oscar")(ClassifierOptions(checkpoints=lying("oscar", oscar_detector=other)))


# ---- a model that sees -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def unseen(tmp_path_factory):
    """A file of unseen pages, and their kinds."""
    path = tmp_path_factory.mktemp("unseen") / "pile.pdf"
    return path, pages.pile(path, EACH, seed=UNSEEN)


def test_unseen_pages_are_told_apart_by_the_command(run, unseen):
    path, kinds = unseen
    named = [part for name, what in pages.CLASSES.items() for part in ("--class", f"{name}={what}")]
    code, out, err = run(path, "--classifier", "clip", "--json", "--dpi", "100", *named, clip=CHECKPOINT)
    said = [page["choice"] if page["kind"] == "content" else page["kind"] for page in json.loads(out)["pages"]]
    right = [answer == pages.TRUTH[kind] for answer, kind in zip(said, kinds, strict=True)]
    wrong = [(kind, answer) for answer, kind in zip(said, kinds, strict=True) if answer != pages.TRUTH[kind]]
    assert (code, err) == (0, "") and len(right) == EACH * len(pages.KINDS) and sum(right) / len(right) >= 0.95, wrong


def test_what_it_was_taught_are_the_captions_of_the_classes():
    """After a change of the words: python -m looks.train."""
    taught = json.loads((CHECKPOINT / "captions.json").read_text())
    assert taught == [[name, list(phrases)] for name, phrases in captions()]


def test_a_calibrated_model_is_about_as_sure_as_it_is_right():
    found, before = calibrate(sideways(12, seed=1)), sideways(12, seed=2)
    after = [(found.applied(said, rest=UNKNOWN), truth) for said, truth in before]
    assert found.temperature > 1 and calibration_error(after) < 0.7 * calibration_error(before), "of pages that it was not calibrated with"
    assert negative_log_likelihood(after, 1) < negative_log_likelihood(before, 1)


def test_its_training_learns(tmp_path):
    losses = train(tmp_path, steps=24, each=3)
    assert sum(losses[-4:]) < 0.8 * sum(losses[:4])
    assert ClipClassifier(ClassifierOptions(checkpoints={"clip": str(tmp_path)})).looks.size == 32


# ---- calibration -----------------------------------------------------------------------------------------------------


def test_the_temperature_of_pages_that_are_half_right_is_the_one_that_says_so():
    sure = {"a": 0.99, UNKNOWN: 0.01}
    found = calibrate([(sure, "a")] * 3 + [(sure, UNKNOWN)])
    assert found.applied(sure, rest=UNKNOWN)["a"] == pytest.approx(0.75 * (1 - found.floor), abs=0.01) and found.floor == pytest.approx(
        1 / 6
    )
    assert calibration_error([(sure, "a")] * 3 + [(sure, UNKNOWN)]) == pytest.approx(0.24)
    assert sum(found.applied({"a": 1.0, "b": 0.0, UNKNOWN: 0.0}, rest=UNKNOWN).values()) == pytest.approx(1)
    with pytest.raises(errors.UsageError):
        calibrate([])


def test_a_calibration_is_a_file_and_of_one_model(run, tmp_path):
    file, paper = tmp_path / "calibration.json", SAMPLES / "rotated.pdf"
    identity = ClipClassifier(ClassifierOptions(checkpoints=lying("clip"))).looks.identity
    file.write_text(Calibration(temperature=100, floor=0.2, identity=identity).model_dump_json())
    assert load_calibration(file).floor == 0.2
    clip = looking.checkpoint("clip")
    (found,) = json.loads(run(paper, "--classifier", "clip", "--json", clip=clip, clip_calibration=file)[1])["pages"]
    assert max(found["scores"].values()) < 0.5 and found["scores"]["unknown"] > 0.4, "as flat as the temperature, and the floor"
    code, _, err = run(paper, "--classifier", "clip", clip=CHECKPOINT)
    assert code == errors.UsageError.exit_code and "another model" in err
    for wrong in ("{}{", '{"temperature": 0}', '{"heat": 1}'):
        file.write_text(wrong)
        assert run(paper, "--classifier", "clip", clip=clip)[0] == errors.UsageError.exit_code
    assert run(paper, "--classifier", "clip", clip_calibration=tmp_path / "none.json")[0] == errors.UsageError.exit_code
