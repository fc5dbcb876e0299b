"""The command line: what comes out where, and the exit codes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from faces import ROOT, docpipe, environment, last_line, pdf, plugins, reading_options, scan

from docpipe import __version__, errors
from docpipe.cli import main
from docpipe.commands.messages import one_line


@pytest.fixture
def plug(tmp_path):
    return plugins(tmp_path)


def run(capsysbinary, *arguments):
    """One command in this process: (exit code, stdout, stderr)."""
    try:
        code = main([os.fspath(argument) for argument in arguments])
    except SystemExit as stop:
        code = stop.code
    out, err = capsysbinary.readouterr()
    return code, out, err.decode()


# ---- results ---------------------------------------------------------------------------------------------------------


def test_one_file_is_one_object_on_stdout(tmp_path, plug, capsysbinary):
    code, out, err = run(capsysbinary, "run", pdf(tmp_path / "ä.pdf", "Größe 12"), *reading_options(plug))
    result = json.loads(out)
    assert (code, err) == (0, "")
    assert result["data"]["title"] == "Größe 12"
    assert result["document"]["name"] == "ä.pdf"
    assert set(result["timing"]) >= {"preprocess", "words", "extract", "validate"}


def test_several_files_are_lines_with_their_names(tmp_path, plug, capsysbinary):
    files = [pdf(tmp_path / "x" / "a.pdf", "One"), tmp_path / "gone.pdf", pdf(tmp_path / "y" / "a.pdf", "Two")]
    code, out, err = run(capsysbinary, "run", *files, *reading_options(plug))
    lines = [json.loads(line) for line in out.splitlines()]
    assert [(line["file"], line["data"]["title"]) for line in lines] == [(str(files[0]), "One"), (str(files[2]), "Two")]
    assert code == errors.NotFoundError.exit_code
    assert last_line(err) == "docpipe: error: not_found: gone.pdf: no such file (check the path)"


def test_without_a_schema_the_text_is_read(tmp_path, plug, capsysbinary):
    _, out, _ = run(capsysbinary, "run", pdf(tmp_path / "a.pdf"), "--ocr", f"{plug}:Blind")
    assert json.loads(out)["schema"]["name"] == "transcript"


def test_out_names_a_file(tmp_path, plug, capsysbinary):
    target = tmp_path / "new" / "result.json"
    code, out, _ = run(capsysbinary, "run", pdf(tmp_path / "a.pdf", "One"), "--out", target, *reading_options(plug))
    assert (code, out) == (0, b"")
    assert json.loads(target.read_bytes())["data"]["title"] == "One"


def test_a_folder_keeps_documents_of_one_name_apart(tmp_path, plug, capsysbinary):
    one, two = pdf(tmp_path / "x" / "a.pdf", "One"), pdf(tmp_path / "y" / "a.pdf", "Two")
    out = tmp_path / "out"

    def titles():
        return {path.name: json.loads(path.read_bytes())["data"]["title"] for path in out.iterdir()}

    run(capsysbinary, "run", one, two, "--out", out, *reading_options(plug))
    assert titles() == {"a.pdf.json": "One", "a.pdf~2.json": "Two"}
    run(capsysbinary, "run", two, "--out", f"{out}/", *reading_options(plug))
    assert titles() == {"a.pdf.json": "One", "a.pdf~2.json": "Two"}, "a later call must not replace another document's result"
    run(capsysbinary, "run", one, one, "--out", out, *reading_options(plug))
    assert titles() == {"a.pdf.json": "One", "a.pdf~2.json": "Two", "a.pdf~3.json": "One"}, "the same file twice is two documents"


def test_out_is_never_the_document_itself(tmp_path, plug, capsysbinary):
    file = pdf(tmp_path / "a.pdf")
    before = file.read_bytes()
    code, _, err = run(capsysbinary, "run", file, "--out", file, *reading_options(plug))
    assert code == 2 and "--out is one of the documents" in err
    assert file.read_bytes() == before


def test_a_failed_document_is_written_and_fails_with_its_pages_code(tmp_path, plug, capsysbinary):
    code, out, err = run(capsysbinary, "run", scan(tmp_path / "scan.pdf"), *reading_options(plug, ocr="Broken"))
    result = json.loads(out)
    assert result["status"] == "failed" and result["pages"][0]["status"] == "failed"
    assert code == errors.EngineError.exit_code
    assert last_line(err).startswith("docpipe: error: engine: scan.pdf: 1 of 1 pages failed")


def test_names_of_every_kind(tmp_path, plug, capsysbinary):
    names = ["인보이스 영수증.pdf", "two\nlines.pdf", os.fsdecode(b"latin\xff.pdf"), "-dash.pdf", "x" * 240 + ".pdf", "=cmd.pdf"]
    files = [pdf(tmp_path / "in" / name, f"File {number}") for number, name in enumerate(names)]
    out = tmp_path / "out"
    code, _, err = run(capsysbinary, "run", "--out", out, *reading_options(plug), "--", *files)
    assert code == 0, err
    titles = sorted(json.loads(path.read_bytes())["data"]["title"] for path in out.iterdir())
    assert titles == [f"File {number}" for number in range(len(names))]
    code, _, err = run(capsysbinary, "run", tmp_path / "no\n\x1b[31msuch\udcff.pdf", *reading_options(plug))
    assert code == 10 and err == "docpipe: error: not_found: no\\n\\x1b[31msuch\\udcff.pdf: no such file (check the path)\n"


def test_work_keeps_every_intermediate(tmp_path, plug, capsysbinary):
    work = tmp_path / "work"
    one, two = pdf(tmp_path / "x" / "a.pdf", "One"), pdf(tmp_path / "y" / "a.pdf", "Two")
    assert run(capsysbinary, "run", one, "--work", work, *reading_options(plug))[0] == 0
    assert {"job.json", "readings.json", "page-0001.words.json"} <= {path.name for path in work.iterdir()}
    assert run(capsysbinary, "run", one, "--work", work, *reading_options(plug))[0] == 0, "the same job again"
    code, _, err = run(capsysbinary, "run", two, "--work", work, *reading_options(plug))
    assert code == errors.MismatchError.exit_code and "another document" in err
    assert run(capsysbinary, "run", one, two, "--work", tmp_path / "both", *reading_options(plug))[0] == 0
    assert {path.name for path in (tmp_path / "both").iterdir()} == {"a.pdf", "a.pdf~2"}


def test_a_work_folder_that_cannot_be_one(tmp_path, plug, capsysbinary):
    paper = pdf(tmp_path / "a.pdf")
    (tmp_path / "file").touch()
    for work in ("file", "file/below"):
        code, _, err = run(capsysbinary, "run", paper, "--work", tmp_path / work, *reading_options(plug))
        assert code == 2 and str(tmp_path / work) in last_line(err) and last_line(err).startswith("docpipe: error: usage: ")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "job.json").write_text("something of the user's own")
    code, _, err = run(capsysbinary, "run", paper, "--work", tmp_path / "other", *reading_options(plug))
    assert code == errors.MismatchError.exit_code
    assert (tmp_path / "other" / "job.json").read_text() == "something of the user's own"


def test_a_sink_of_ones_own(tmp_path, plug, capsysbinary):
    sink = tmp_path / "sink.py"
    sink.write_text(
        "from docpipe.sinks import Sink\n"
        "class Titles(Sink):\n"
        "    def write(self, result, *, name):\n"
        "        with self.target.open('a') as file: file.write(result.data.title + '\\n')\n"
    )
    files = [pdf(tmp_path / "a.pdf", "One"), pdf(tmp_path / "b.pdf", "Two")]
    out = tmp_path / "titles.txt"
    assert run(capsysbinary, "run", *files, "--sink", f"{sink}:Titles", "--out", out, *reading_options(plug))[0] == 0
    assert out.read_text() == "One\nTwo\n"


def test_languages_are_two_letter_codes(tmp_path, plug, capsysbinary):
    assert run(capsysbinary, "run", pdf(tmp_path / "a.pdf"), "--lang", "de,en,ko", *reading_options(plug))[0] == 0


def test_only_some_pages(tmp_path, plug, capsysbinary):
    file = pdf(tmp_path / "a.pdf")
    assert run(capsysbinary, "run", file, "--pages", "1", *reading_options(plug))[0] == 0
    code, _, err = run(capsysbinary, "run", file, "--pages", "2", *reading_options(plug))
    assert code == 2 and "a.pdf" in last_line(err)


# ---- errors ----------------------------------------------------------------------------------------------------------


def bad_files(folder: Path) -> dict[str, Path]:
    (folder / "folder.pdf").mkdir()
    os.mkfifo(folder / "pipe.pdf")
    (folder / "empty.pdf").touch()
    (folder / "text.pdf").write_text("plain text")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing to see")
    pdf(folder / "locked.pdf", password="open sesame")
    return {path.name: path for path in folder.iterdir()} | {"gone.pdf": folder / "gone.pdf"}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("gone.pdf", errors.NotFoundError),
        ("folder.pdf", errors.NotFoundError),
        ("pipe.pdf", errors.NotFoundError),
        ("empty.pdf", errors.EmptyError),
        ("text.pdf", errors.UnsupportedError),
        ("broken.pdf", errors.DamagedError),
        ("locked.pdf", errors.PasswordError),
    ],
)
def test_bad_files_end_in_their_code_and_name(tmp_path, plug, capsysbinary, name, kind):
    folder = tmp_path / "in"
    folder.mkdir()
    code, out, err = run(capsysbinary, "run", bad_files(folder)[name], *reading_options(plug))
    assert (code, out) == (kind.exit_code, b"")
    assert last_line(err).startswith(f"docpipe: error: {kind.code}: {name}: ")
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--dpi", "9000"], 2),
        (["--dpi", "٣٠٠"], 2),
        (["--pages", "0"], 2),
        (["--pages", "3-1"], 2),
        (["--pages", "1-99999999999"], 2),
        (["--pages", "1,,2"], 2),
        (["--lang", "Deutsch!"], 2),
        (["--lang", "deu"], 2),
        (["--lang", "de,zz"], 2),
        (["--lang", "DE"], 2),
        (["--engines", "nonsense"], 2),
        (["--ocr", "no_such_module:Engine"], 2),
        (["--sink", "nonsense"], 2),
        (["--schema", "nonsense"], 3),
        (["--schema", "gone.py:Thing"], 3),
        (["--password-file", "/does/not/exist"], 10),
        (["--nonsense"], 2),
        (["--password", "a", "--password-file", "b"], 2),
    ],
)
def test_nonsense_arguments(tmp_path, plug, capsysbinary, arguments, code):
    got, out, err = run(capsysbinary, "run", pdf(tmp_path / "a.pdf"), *reading_options(plug), *arguments)
    assert (got, out) == (code, b"")
    assert last_line(err).startswith("docpipe: error: ")
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DOCPIPE_MAX_PAGES", "many"),
        ("DOCPIPE_MODEL__BATCH", "0"),
        ("DOCPIPE_MODEL__BATCH", "-1"),
        ("DOCPIPE_MODEL__PIXELS", "-5"),
        ("DOCPIPE_MODEL__PIXELS", "0"),
        ("DOCPIPE_MODEL__SECONDS", "nan"),
        ("DOCPIPE_MODEL__SECONDS", "-1"),
        ("DOCPIPE_MODEL__LOADING", "inf"),
        ("DOCPIPE_MODEL__WINDOW", "inf"),
        ("DOCPIPE_MODEL__WINDOW", "nan"),
        ("DOCPIPE_MODEL__NOSUCH", "1"),
        ("DOCPIPE_MODEL", "not json"),
        ("DOCPIPE_LANGUAGES", "de"),
        ("DOCPIPE_LANGUAGES", "[7]"),
    ],
)
def test_a_setting_that_makes_no_sense_names_its_variable(tmp_path, capsysbinary, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    code, _, err = run(capsysbinary, "run", pdf(tmp_path / "a.pdf"))
    assert code == 2 and last_line(err).startswith(f"docpipe: error: settings: {name}: ")


def test_a_fault_of_our_own_is_told_without_a_traceback(tmp_path, plug, capsysbinary):
    call = ["run", pdf(tmp_path / "a.pdf"), *reading_options(plug, ocr="Faulty")]
    code, _, err = run(capsysbinary, *call)
    assert code == 70 and "Traceback" not in err
    assert last_line(err) == "docpipe: error: internal: RuntimeError: kaput\\nsecond line (run again with --debug to see where)"
    code, _, err = run(capsysbinary, *call, "--debug")
    assert code == 70 and "Traceback" in err and last_line(err).startswith("docpipe: error: internal: ")


def test_an_engine_that_breaks_is_an_error_without_a_traceback(tmp_path, plug):
    done = docpipe("run", pdf(tmp_path / "a.pdf", "RAISE"), *reading_options(plug))
    assert json.loads(done.stdout)["status"] == "failed"
    assert done.returncode == errors.EngineError.exit_code, done.stderr
    assert b"nobody thought of this" in done.stderr and b"Traceback" not in done.stderr
    assert last_line(done.stderr).startswith("docpipe: error: engine: a.pdf: ")


def test_passwords_open_and_leave_no_trace(tmp_path, plug, capsysbinary):
    secret = "open sesame"
    file, work = pdf(tmp_path / "locked.pdf", "Hidden", password=secret), tmp_path / "work"
    (tmp_path / "password").write_text(f"{secret}\n")
    code, out, err = run(capsysbinary, "run", file, "--password", "wrong one", *reading_options(plug))
    assert code == errors.PasswordError.exit_code and "wrong one" not in err
    code, out, err = run(
        capsysbinary, "run", file, "--password-file", tmp_path / "password", "--work", work, "--debug", *reading_options(plug)
    )
    assert code == 0 and json.loads(out)["data"]["title"] == "Hidden"
    for text in (out, err.encode(), *(path.read_bytes() for path in work.iterdir())):
        assert secret.encode() not in text


@pytest.mark.parametrize("target", ["file/below", "folder"])
def test_an_output_that_cannot_be_written(tmp_path, plug, capsysbinary, target):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.pdf.json").mkdir()
    (tmp_path / "folder" / "a.pdf~2.json").symlink_to(tmp_path / "file" / "below")
    files = [pdf(tmp_path / "a.pdf")] * 2
    code, _, err = run(capsysbinary, "run", *files, "--out", tmp_path / target, *reading_options(plug))
    if target == "folder":
        assert code == 0 and (tmp_path / "folder" / "a.pdf~3.json").is_file()
    else:
        assert code == 2 and "cannot be written" in last_line(err)


def test_a_full_disk(tmp_path, plug):
    file = pdf(tmp_path / "a.pdf")
    done = docpipe("run", file, "--out", "/dev/full", *reading_options(plug))
    assert done.returncode == errors.ResourceError.exit_code
    assert (
        last_line(done.stderr)
        == "docpipe: error: resource: full: cannot be written: No space left on device (free memory or disk space and try again)"
    )
    assert Path("/dev/full").is_char_device()
    with Path("/dev/full").open("wb") as full:
        done = docpipe("run", file, *reading_options(plug), stdout=full.fileno())
    assert done.returncode == errors.ResourceError.exit_code
    assert done.stderr.count(b"\n") == 1 and b"standard output: cannot be written" in done.stderr


def test_a_reader_that_goes_away_is_no_error(tmp_path, plug):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = docpipe("run", pdf(tmp_path / "a.pdf"), *reading_options(plug), stdout=writing)
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


# ---- the other commands ----------------------------------------------------------------------------------------------


def test_validate_gives_the_same_result_without_the_document(tmp_path, plug, capsysbinary):
    file, work = pdf(tmp_path / "a.pdf", "One"), tmp_path / "work"
    _, first, _ = run(capsysbinary, "run", file, "--work", work, *reading_options(plug))
    file.unlink()
    code, again, _ = run(capsysbinary, "validate", work / "readings.json", "--schema", f"{plug}:Note")
    parts = [{key: value for key, value in json.loads(text).items() if key not in ("timing", "job")} for text in (first, again)]
    assert code == 0 and parts[0] == parts[1]


def test_validate_loads_no_schema_that_only_the_readings_name(tmp_path, plug, capsysbinary):
    work = tmp_path / "work"
    run(capsysbinary, "run", pdf(tmp_path / "a.pdf", "One"), "--work", work, *reading_options(plug))
    code, out, err = run(capsysbinary, "validate", work / "readings.json")
    assert (code, out) == (2, b"") and "--schema" in last_line(err)


def test_validate_refuses_what_is_no_reading(tmp_path, capsysbinary):
    (tmp_path / "r.json").write_text('{"job": 1}')
    assert run(capsysbinary, "validate", tmp_path / "r.json")[0] == errors.MismatchError.exit_code
    assert run(capsysbinary, "validate", tmp_path / "gone.json")[0] == errors.NotFoundError.exit_code


def test_schema_commands(tmp_path, capsysbinary):
    code, out, _ = run(capsysbinary, "schema", "list")
    assert code == 0 and {b"invoice", b"receipt", b"form", b"transcript"} <= {line.split()[0] for line in out.splitlines()}
    code, out, _ = run(capsysbinary, "schema", "show", "invoice")
    assert code == 0 and "gross_total" in json.loads(out)["properties"]
    assert run(capsysbinary, "schema", "check", "invoice", "form")[0] == 0
    bad = tmp_path / "bad.py"
    bad.write_text("from pydantic import BaseModel\nclass Bad(BaseModel):\n    number: int\n    when: str | None = None\n")
    code, out, err = run(capsysbinary, "schema", "check", f"{bad}:Bad")
    assert code == errors.SchemaError.exit_code and last_line(err).startswith("docpipe: error: schema: ")
    assert b"number: not_optional" in out and b"when: no_description" in out


def test_no_command_and_unknown_commands(capsysbinary):
    for arguments in ([], ["nonsense"], ["run"]):
        code, out, err = run(capsysbinary, *arguments)
        assert (code, out) == (2, b"") and last_line(err).startswith("docpipe: error: usage: ")


def test_version_and_the_project_say_the_same(capsysbinary):
    import tomllib

    assert run(capsysbinary, "--version")[1] == f"docpipe {__version__}\n".encode()
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == __version__


def test_help_lists_every_exit_code():
    helped = docpipe("--help")
    assert helped.returncode == 0
    listed = {int(line.split()[0]) for line in helped.stdout.decode().splitlines() if line.strip()[:1].isdigit()}
    assert {kind.exit_code for kind in errors.tree() if kind is not errors.DocpipeError} | {0, 70, 130, 141, 143} <= listed


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["batch", "--help"], ["view", "--help"], ["schema", "show", "--help"]]
)
def test_help_imports_nothing_heavy(arguments):
    script = (
        "import sys\nfrom docpipe.cli import main\n"
        f"try: main({arguments!r})\nexcept SystemExit: pass\n"
        "print(len(sys.modules))\nprint(sorted({name.partition('.')[0] for name in sys.modules} & "
        "{'pydantic', 'numpy', 'cv2', 'pymupdf', 'onnxruntime', 'jinja2', 'tqdm', 'openpyxl', 'lxml', 'PIL', 'multiprocessing'}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, env=environment(), check=True)
    *_, modules, heavy = done.stdout.splitlines()
    assert heavy == b"[]" and int(modules) < 180, "start-up is what importing costs"


def test_one_line_escapes_what_could_fool_a_terminal():
    assert one_line("a\nb\x1b[2K\r\u202eevil") == "a\\nb\\x1b[2K\\r\\u202eevil"
    assert one_line("Größe 인보이스") == "Größe 인보이스"
