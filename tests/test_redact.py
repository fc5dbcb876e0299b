"""What must not leave this machine: what the built-in redactor finds, what a model elsewhere is shown, and what the result says of it."""

import io
import json
import re
from base64 import b64decode
from pathlib import Path

import pytest
from api_servers import saying, whole
from faces import docpipe as command
from lines import Server
from PIL import Image
from test_vlm import NOTHING, PRINT, RIGHT, Slip, draw, said, scan

import docpipe
from docpipe.backends import ApiOptions, ModelOptions
from docpipe.records import Sent, Word, Words
from docpipe.redact import without
from docpipe.redact.identifiers import Identifiers
from docpipe.settings import Settings

pytestmark = pytest.mark.api
IBAN = "DE89 3704 0044 0532 0130 00"
SECRET = (f"Konto {IBAN} bei uns", *PRINT)


def line(text: str) -> Words:
    words = tuple(Word(part, 10.0 * at, 0.0, 10.0 * at + 9, 10.0) for at, part in enumerate(text.split()))
    return Words(page=1, width=600, height=800, source="text_layer", words=words)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"IBAN {IBAN} now", "IBAN now"),
        ("write to jane.doe@example.org, please", "write to please"),
        ("card 4111 1111 1111 1111 ends", "card ends"),
        ("call +49 30 1234567 today", "call today"),
        ("call +1 (555) 010-9999 today", "call today"),
        ("order 4111 1111 1111 1112 total 1.234,56 on 17.03.2024", None),  # no card: its checksum does not hold
        ("items 12 345 67 at 3.50 each", None),
    ],
)
def test_numbers_of_people_and_accounts_are_found(text, left):
    words = line(text)
    boxes = list(Identifiers().boxes(words))
    assert " ".join(word.text for word in without(words, boxes).words) == (text if left is None else left)


def shown(server: Server) -> Image.Image:
    """The image in the last request."""
    body = server.requests[-1].partition(b"\r\n\r\n")[2]
    url = re.search(rb"data:image/jpeg;base64,([A-Za-z0-9+/=]+)", body)
    assert url is not None
    return Image.open(io.BytesIO(b64decode(url[1])))


def read(path: Path, server: Server, **options):
    model = ModelOptions(model="m", seconds=20, api=ApiOptions(url=server.url("/v1"), logprobs=False))
    settings = Settings(backend="openai_api", model=model, **options)
    return docpipe.run(path, Slip, engines=["vlm"], settings=settings)


def dark(image: Image.Image, box: tuple[float, float, float, float]) -> float:
    """The share of black in a part of a page of 400 x 500 points."""
    scale = image.width / 400
    part = image.convert("L").crop(tuple(round(edge * scale) for edge in box))
    return sum(pixel < 60 for pixel in part.tobytes()) / (part.width * part.height)


@pytest.mark.parametrize("scanned", [False, True], ids=["text", "scan"])
def test_a_model_elsewhere_is_shown_black_where_something_is_private(scanned, tmp_path):
    path = draw(tmp_path / "slip.pdf", SECRET)
    path = scan(path, tmp_path / "scan.pdf") if scanned else path
    with Server(whole(said(RIGHT))) as server:
        open_page = read(path, server, hint=True)
        place = (80, 50, 240, 62)  # of the IBAN
        assert dark(shown(server), place) < 0.5 and IBAN.encode() in server.requests[-1]
        hidden = read(path, server, hint=True, redact="identifiers")
        assert dark(shown(server), place) > 0.8 and b"3704" not in server.requests[-1]
        assert dark(shown(server), (40, 80, 300, 92)) < 0.5, "the next line is as it was"
    assert open_page.usage.sent == (Sent(host="127.0.0.1", pages=(1,), words=True),)
    assert hidden.usage.sent == (Sent(host="127.0.0.1", pages=(1,), words=True, redacted=True),)
    assert hidden.data.total == open_page.data.total


def test_where_no_word_was_read_nothing_is_sent(tmp_path):
    Image.effect_noise((300, 200), 120).save(tmp_path / "noise.png")
    with Server(whole(said(RIGHT))) as server:
        result = read(tmp_path / "noise.png", server, redact="identifiers")
        assert server.requests == [] and result.usage.sent == ()
    assert any("nothing is sent" in issue.message for issue in result.issues)


def test_a_page_that_was_sent_in_vain_was_sent_all_the_same(tmp_path):
    with Server(saying("no JSON at all")) as server:
        result = read(draw(tmp_path / "slip.pdf"), server)
    assert result.status == "failed" and result.usage.sent == (Sent(host="127.0.0.1", pages=(1,)),)


def test_nothing_is_sent_where_the_model_is_here(tmp_path):
    answers = tmp_path / "answers.json"
    answers.write_text(json.dumps({"answers": [{"text": said(RIGHT)}]}))
    settings = Settings(backend="replay", model=ModelOptions(model=str(answers)), redact="identifiers")
    assert docpipe.run(draw(tmp_path / "slip.pdf", SECRET), Slip, engines=["vlm"], settings=settings).usage.sent == ()


def test_a_question_in_plain_words_is_redacted_too(tmp_path, monkeypatch):
    path = draw(tmp_path / "slip.pdf", SECRET)
    with Server(whole("yes")) as server:
        monkeypatch.setenv("DOCPIPE_BACKEND", "openai_api")
        monkeypatch.setenv("DOCPIPE_MODEL__MODEL", "m")
        monkeypatch.setenv("DOCPIPE_MODEL__API__URL", server.url("/v1"))
        done = command("ask", path, "Is it paid?", "--redact", "identifiers")
        assert done.returncode == 0, done.stderr
        assert dark(shown(server), (80, 50, 240, 62)) > 0.8
    assert command("ask", path, "?", "--redact", "nonsense").returncode == 2


def test_a_redactor_is_one_file(tmp_path):
    (tmp_path / "all.py").write_text(
        "from docpipe.redact import Redactor\n\n\nclass All(Redactor):\n    name = 'all'\n\n    def boxes(self, words):\n"
        "        return [(0, 0, words.width, words.height)]\n"
    )
    with Server(whole(said(NOTHING))) as server:
        read(draw(tmp_path / "slip.pdf"), server, redact=f"{tmp_path / 'all.py'}:All")
        assert dark(shown(server), (0, 0, 400, 500)) == 1.0
