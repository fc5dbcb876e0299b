"""The public names, and a document from Python."""

import ast
import importlib
import subprocess
import sys
from decimal import Decimal

import pytest
from faces import ROOT, environment, pdf, plugins, scan
from pydantic import BaseModel, Field

import docpipe
from docpipe.errors import DamagedError, MismatchError, NotFoundError, ResourceError, UsageError
from docpipe.words import OcrEngine


class Letter(BaseModel):
    """A schema of the user's own."""

    title: str | None = Field(None, description="First line of the page")
    amount: Decimal | None = Field(None, description="Amount of the letter")


@pytest.fixture
def options(tmp_path):
    plug = plugins(tmp_path)
    return {"engines": [f"{plug}:FirstLine"], "ocr": f"{plug}:Blind"}


def test_every_public_name_is_there_and_no_other():
    assert docpipe.__all__ == sorted(docpipe.__all__)
    for name in docpipe.__all__:
        assert getattr(docpipe, name) is not None
        assert name in dir(docpipe)
    typed = ast.parse((ROOT / "docpipe" / "__init__.py").read_text())
    block = next(node for node in typed.body if isinstance(node, ast.If))
    imported = {alias.asname or alias.name for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert imported | {"__version__"} == set(docpipe.__all__), "what a type checker sees is what there is"
    with pytest.raises(AttributeError, match="nonsense"):
        _ = docpipe.nonsense


def test_public_names_keep_their_meaning_when_submodules_are_imported():
    importlib.import_module("docpipe.validate")
    importlib.import_module("docpipe.extract.labels")
    assert callable(docpipe.run) and callable(docpipe.revalidate)
    assert docpipe.errors is importlib.import_module("docpipe.errors")
    assert docpipe.annotations is importlib.import_module("docpipe.annotations")


def test_importing_docpipe_imports_nothing_else():
    script = (
        "import sys; before = set(sys.modules); import docpipe\n"
        "print([name for name in sorted(set(sys.modules) - before) if name.partition('.')[0] not in sys.stdlib_module_names])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, env=environment(), check=True, text=True)
    assert ast.literal_eval(done.stdout) == ["docpipe"]


def test_a_schema_class_gives_its_own_data(tmp_path, options):
    result = docpipe.run(pdf(tmp_path / "a.pdf", "Dear reader"), Letter, **options)
    assert isinstance(result, docpipe.Result)
    assert isinstance(result.data, Letter) and result.data.title == "Dear reader"
    assert result.document.name == "a.pdf" and result.schema_ref.name == "Letter"
    assert set(result.timing) >= {"preprocess", "words", "extract", "validate"} and min(result.timing.values()) >= 0
    assert docpipe.Result[Letter].model_validate_json(result.to_json()) == result


def test_the_job_is_the_content_the_schema_and_the_options(tmp_path, options):
    one, same = pdf(tmp_path / "a.pdf", "One"), tmp_path / "b.pdf"
    same.write_bytes(one.read_bytes())
    first = docpipe.run(one, Letter, **options)
    assert docpipe.run(same, Letter, **options).job == first.job
    assert docpipe.run(one, Letter, **options).canonical_json() == first.canonical_json()
    others = [docpipe.run(one, Letter, dpi=150, **options), docpipe.run(one, "transcript", **options)]
    others.append(docpipe.run(pdf(tmp_path / "a.pdf", "Two"), Letter, **options))
    assert len({first.job, *(other.job for other in others)}) == 4


def test_a_reader_reads_several(tmp_path, options):
    settings = docpipe.Settings()
    request = docpipe.request.make_request(settings, **options)
    reader = docpipe.Reader(Letter, request)
    titles = [reader.read(pdf(tmp_path / f"{name}.pdf", name)).data.title for name in ("One", "Two")]
    assert titles == ["One", "Two"]


def test_readings_give_the_same_result_again(tmp_path, options):
    result = docpipe.run(pdf(tmp_path / "a.pdf", "One"), Letter, work=tmp_path / "work", **options)
    again = docpipe.revalidate(tmp_path / "work" / "readings.json", Letter)
    assert again.canonical_json() == result.canonical_json() and again.job == result.job
    with pytest.raises(UsageError, match="no built-in schema"):
        docpipe.revalidate(tmp_path / "work" / "readings.json")
    text = docpipe.run(tmp_path / "a.pdf", work=tmp_path / "text", **options)
    readings = docpipe.Readings.model_validate_json((tmp_path / "text" / "readings.json").read_bytes())
    assert docpipe.revalidate(readings).canonical_json() == text.canonical_json()
    stale = readings.job.schema_ref.model_copy(update={"sha256": "0" * 64})
    with pytest.raises(MismatchError, match="has changed"):
        docpipe.revalidate(readings.model_copy(update={"job": readings.job.model_copy(update={"schema_ref": stale})}))


def test_readings_cannot_have_code_imported(tmp_path, options):
    mark = tmp_path / "mark"
    evil = tmp_path / "evil.py"
    imports = f"from pathlib import Path\nPath({str(mark)!r}).touch()\nfrom pydantic import BaseModel\n"
    evil.write_text(imports + "class Evil(BaseModel):\n    title: str | None = None\n")
    docpipe.run(pdf(tmp_path / "a.pdf", "One"), work=tmp_path / "work", **options)
    readings = docpipe.Readings.model_validate_json((tmp_path / "work" / "readings.json").read_bytes())
    for name in (f"{evil}:Evil", "evil:Evil", "../evil", "transcript:Transcript"):
        ref = readings.job.schema_ref.model_copy(update={"name": name})
        with pytest.raises(UsageError, match="no built-in schema") as caught:
            docpipe.revalidate(readings.model_copy(update={"job": readings.job.model_copy(update={"schema_ref": ref})}))
        assert "--schema" in caught.value.hint
    assert not mark.exists()
    docpipe.revalidate(readings, f"{evil}:Evil")
    assert mark.exists(), "what the caller names is loaded"


def test_a_result_says_whether_another_try_may_help(tmp_path, options):
    class Full(OcrEngine):
        """No memory left."""

        name = "full"

        def read(self, image, *, languages=(), text_height=None):
            raise ResourceError("out of memory")

    reader = docpipe.Reader(Letter, docpipe.request.make_request(docpipe.Settings(), **options))
    paper = scan(tmp_path / "scan.pdf")
    usual = reader.read(paper)
    reader.ocr = Full()
    result = reader.read(paper)
    assert (usual.retryable, result.retryable) == (False, True)
    assert "retryable" not in result.canonical_json()


def test_errors_name_the_file(tmp_path, options):
    (tmp_path / "bad.pdf").write_bytes(b"%PDF-1.5 and then nothing")
    for name, kind in (("gone.pdf", NotFoundError), ("bad.pdf", DamagedError)):
        with pytest.raises(kind) as caught:
            docpipe.run(tmp_path / name, Letter, **options)
        assert caught.value.file == name


def test_no_workspace_is_left_behind(tmp_path, options, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    docpipe.run(scan(tmp_path / "scan.pdf"), Letter, **options)
    assert list((tmp_path / "tmp").iterdir()) == []
