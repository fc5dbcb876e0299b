"""`docpipe ask` and `caption`, and how a call says which engine and backend read: with recorded answers."""

import json
import os
from pathlib import Path

import pytest
from faces import ROOT
from test_vlm import PRINT, RIGHT, draw, recording, said

from docpipe import errors
from docpipe.cli import build_parser, main
from docpipe.commands.options import read_request
from docpipe.questions import CAPTION
from docpipe.settings import Settings

pytestmark = pytest.mark.vlm


@pytest.fixture
def run(tmp_path, capsysbinary, monkeypatch):
    """One command in this process, with these answers: (exit code, stdout, stderr)."""

    def run(*arguments: object, answers: tuple[dict, ...] = (), **more: object) -> tuple[int, str, str]:
        monkeypatch.setenv("DOCPIPE_BACKEND", "replay")
        monkeypatch.setenv("DOCPIPE_MODEL__MODEL", str(recording(tmp_path, *answers, **more)))
        monkeypatch.setenv("DOCPIPE_MODEL__SECONDS", "0.1")
        code = main([os.fspath(argument) if isinstance(argument, Path) else str(argument) for argument in arguments])
        out, err = capsysbinary.readouterr()
        return code, out.decode(), err.decode()

    return run


@pytest.fixture
def paper(tmp_path):
    return draw(tmp_path / "paper.pdf", PRINT, PRINT, PRINT)


def test_every_page_is_asked_about_and_answered_under_its_number(run, paper):
    code, out, err = run("ask", paper, "What is to be paid?", answers=({"contains": ["What is to be paid?"], "text": "66.00\nin all"},))
    assert (code, err) == (0, "")
    assert out == "".join(f"page {number}:\n66.00\nin all\n" for number in (1, 2, 3))


def test_some_pages_as_json_with_costs(run, paper):
    code, out, _ = run("ask", paper, "?", "--pages", "2", "--json", answers=({"text": "yes", "prompt_tokens": 7},))
    found = json.loads(out)
    assert code == 0 and (found["document"], found["question"]) == ("paper.pdf", "?")
    (answer,) = found["answers"]
    assert (answer["page"], answer["text"], answer["model"], answer["usage"]["prompt_tokens"]) == (2, "yes", "replay", 7)


def test_a_caption_needs_no_question_and_no_document_model(run, paper):
    code, out, _ = run("caption", paper, "--pages", "1", answers=({"contains": [CAPTION], "text": "a slip"},))
    assert (code, out) == (0, "page 1:\na slip\n")
    shy = {"ability": {"grade": "caption"}, "answers": ({"contains": [CAPTION], "fail": "was given words"}, {"text": "a paper"})}
    assert run("caption", paper, "--pages", "1", **shy)[:2] == (0, "page 1:\na paper\n")


def test_an_answer_that_is_not_whole_and_one_that_a_terminal_would_obey(run, paper):
    _, out, err = run("ask", paper, "?", "--pages", "1", answers=({"text": "\x1b[2Jtwo", "stop": "length"},))
    assert out == "page 1:\n\\x1b[2Jtwo\n" and "not whole (length)" in err


@pytest.mark.parametrize("command", [["ask"], ["caption"]], ids=lambda command: command[0])
def test_several_files_are_all_tried_and_told_apart(command, run, paper, tmp_path):
    more = ["?"] if command == ["ask"] else []
    other = draw(tmp_path / "other.pdf", PRINT)
    call = [*command, paper, tmp_path / "none.pdf", other, *more]
    code, out, err = run(*call, answers=({"text": "a slip"},))
    assert code == errors.NotFoundError.exit_code and "none.pdf" in err.splitlines()[-1]
    assert out.splitlines()[0] == f"{paper}:" and out.splitlines()[-3:] == [f"{other}:", "page 1:", "a slip"]
    code, out, _ = run(*call, "--json", answers=({"text": "a slip"},))
    first, second = map(json.loads, out.splitlines())
    assert code == errors.NotFoundError.exit_code and next(iter(first)) == "file"
    assert (first["file"], len(first["answers"]), second["document"]) == (str(paper), 3, "other.pdf")


@pytest.mark.parametrize(
    ("answer", "kind"), [({"busy": 1}, errors.BusyError), ({"hang": True}, errors.DeadlineError), ({"fail": "gone"}, errors.EngineError)]
)
def test_a_page_without_an_answer_is_named_and_the_others_are_answered(answer, kind, run, paper):
    code, out, err = run("ask", paper, "?", "--pages", "1,2", answers=({**answer, "times": 1}, {"text": "fine"}))
    assert code == kind.exit_code and out == "page 1:\n(failed)\npage 2:\nfine\n"
    assert "DOCPIPE_PAGE_SECONDS" not in err, "the hint is the problem's own"
    assert "paper.pdf: page 1: " in err and err.splitlines()[-1].startswith(f"docpipe: error: {kind.code}: paper.pdf: 1 of 2 pages")


def test_what_cannot_be_asked_is_a_clear_error(run, paper, tmp_path, monkeypatch):
    assert run("ask", paper, "  ")[0] == errors.UsageError.exit_code
    assert run("ask", tmp_path / "none.pdf", "?")[0] == errors.NotFoundError.exit_code
    code, _, err = run("caption", paper, "--backend", "nonsense")
    assert code == errors.UsageError.exit_code and "one of:" in err.splitlines()[-1]
    monkeypatch.setenv("DOCPIPE_MODEL__MODEL", "")
    assert main(["ask", str(paper), "?"]) == errors.UsageError.exit_code, "no model is set"


def test_a_blank_page_is_not_asked_about(run, tmp_path):
    blank = draw(tmp_path / "blank.pdf", PRINT, ())
    _, out, _ = run("ask", blank, "?", answers=({"text": "ink"},))
    assert out == "page 1:\nink\npage 2:\n(blank)\n"


PLUG = '''
from docpipe.backends import Ability, Backend, Reply
from docpipe.records import Usage


class Parrot(Backend):
    """Says the question again."""

    name = "parrot"
    ability = Ability(grade="document")

    def fit(self, width, height):
        return 56, 84

    def image_tokens(self, width, height):
        return 6

    def ask(self, question):
        sizes = [image.size for image in question.images]
        return Reply(text=f"{question.text} {sizes}", stop="end", model="parrot", usage=Usage(calls=1))
'''


def test_a_backend_is_one_file(run, paper, tmp_path):
    (tmp_path / "parrot.py").write_text(PLUG)
    _, out, _ = run("ask", paper, "Who?", "--pages", "1", "--backend", f"{tmp_path / 'parrot.py'}:Parrot")
    assert out == "page 1:\nWho? [(56, 84)]\n"


# ---- which engine, which backend -------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [["run", "x.pdf"], ["batch", "x", "--out", "y"], ["submit", "x.pdf"]])
def test_an_engine_stands_for_those_that_read_before_it(command):
    def engines(*more: str) -> tuple[str, ...]:
        return read_request(build_parser().parse_args([*command, *more]), Settings()).options.engines

    assert engines() == ("einvoice", "labels") == engines("--engine", "labels")
    assert engines("--engine", "vlm") == ("einvoice", "vlm")
    assert engines("--engine", "auto") == ("einvoice", "labels", "vlm")
    assert engines("--engine", "mine.py:Mine") == ("einvoice", "mine.py:Mine")
    assert engines("--engines", "labels") == ("labels",)
    assert read_request(build_parser().parse_args([*command, "--backend", "replay"]), Settings()).options.backend == "replay"
    with pytest.raises(SystemExit):
        engines("--engine", "auto", "--engines", "labels")


def test_run_with_a_model_says_what_each_tier_has_cost(run, tmp_path):
    paper = draw(tmp_path / "slip.pdf")
    schema = Path(__file__).with_name("test_vlm.py")
    code, out, _ = run("run", paper, "--schema", f"{schema}:Slip", "--engine", "auto", answers=({"text": said(RIGHT), "prompt_tokens": 9},))
    found = json.loads(out)
    assert code == 0 and found["data"]["total"] == "66.00"
    costs = found["usage"]["by_engine"]
    assert (costs["labels"]["prompt_tokens"], costs["vlm"]["calls"], costs["vlm"]["prompt_tokens"]) == (0, 1, 9)
    assert found["producer"]["models"] == {"vlm": "replay"}


def test_auto_asks_no_model_where_labels_are_enough(run):
    paper = ROOT / "samples" / "invoice.pdf"
    code, out, _ = run("run", paper, "--schema", "invoice", "--engine", "auto", answers=({"fail": "asked in vain"},))
    found = json.loads(out)
    assert (code, found["status"], set(found["usage"]["by_engine"])) == (0, "accepted", {"einvoice", "labels", "witness"})
