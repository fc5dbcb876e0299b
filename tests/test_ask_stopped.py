"""A command that is told to stop while a model is asked: it ends soon, with its own exit code, and leaves nothing behind."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from test_vlm import PRINT, draw, recording

from docpipe.backends import ModelOptions
from docpipe.questions import ask_pages
from docpipe.request import Request
from docpipe.workspace import temporary

pytestmark = pytest.mark.vlm
SOON = 20.0  # seconds
BUSY = """
import os
from docpipe.backends.replay import Replay

class Busy(Replay):
    def ask(self, question):
        import torch
        side = torch.ones(300, 300)
        os.write(2, b"asked\\n")  # in one piece: several threads ask
        while True:
            side.mm(side)
"""
SLOW = """
import time
from docpipe.backends.replay import Replay

class Slow(Replay):
    def close(self):
        time.sleep(60)
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("command", [["ask", "?"], ["run", "--engine", "vlm", "--schema", "invoice"]], ids=lambda command: command[0])
def test_a_signal_while_a_model_is_asked_ends_the_command(command, number, code, tmp_path):
    (tmp_path / "busy.py").write_text(BUSY)
    (folder := tmp_path / "tmp").mkdir()
    more = {"DOCPIPE_BACKEND": f"{tmp_path / 'busy.py'}:Busy", "TMPDIR": str(folder), "OMP_NUM_THREADS": "1"}
    more["DOCPIPE_MODEL__MODEL"] = str(recording(tmp_path, {"text": "yes"}))
    call = [sys.executable, "-m", "docpipe", command[0], str(draw(tmp_path / "paper.pdf", *[PRINT] * 4)), *command[1:]]
    process = subprocess.Popen(call, env=os.environ | more, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr.readline() == "asked\n"
        process.send_signal(number)
        _, said = process.communicate(timeout=SOON)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == code, said
    assert "internal" not in said and not list(folder.glob("docpipe-*"))


def test_nobody_waits_for_a_backend_whose_answers_are_not_wanted_any_more(tmp_path):
    (tmp_path / "slow.py").write_text(SLOW)
    model = ModelOptions(model=str(recording(tmp_path, {"text": "yes"})))
    request = Request(model=model)
    request = request.model_copy(update={"options": request.options.model_copy(update={"backend": f"{tmp_path / 'slow.py'}:Slow"})})
    answers = ask_pages(draw(tmp_path / "paper.pdf", PRINT, PRINT), "?", request)
    assert next(answers).text == "yes"
    begin = time.monotonic()
    answers.close()
    assert time.monotonic() - begin < SOON


def test_a_folder_that_is_still_written_into_is_removed(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    stop = threading.Event()

    def write(folder):
        number = 0
        while not stop.is_set():
            number += 1
            try:
                (folder / f"page-{number}").write_bytes(b"")
            except FileNotFoundError:
                return
            time.sleep(0.002)  # pages come no faster

    with temporary() as space:
        thread = threading.Thread(target=write, args=(space.path("x").parent,))
        thread.start()
        time.sleep(0.2)
    stop.set()
    thread.join(SOON)
    assert not list(tmp_path.iterdir())
