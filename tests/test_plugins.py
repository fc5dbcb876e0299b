"""A reference becomes a class: bare names beside docpipe, module:Class, path.py:Class; and what goes wrong with each."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from pydantic import BaseModel

from docpipe import plugins
from docpipe.errors import SchemaError
from docpipe.extract import HOME, Engine
from docpipe.fields import BUILT_IN, load_schema

ONE = '''
from pydantic import BaseModel, Field

class Part(BaseModel):
    """A part."""

    size: str | None = Field(None, description="Its size")

class Thing(BaseModel):
    """A thing."""

    part: Part | None = Field(None, description="Its part")
'''


def schema(reference: str, home: Path = BUILT_IN) -> type[BaseModel]:
    return plugins.load(reference, BaseModel, home, error=SchemaError)


@pytest.mark.parametrize(
    ("name", "class_name"),
    [("invoice", "Invoice"), ("receipt", "Receipt"), ("form", "Form"), ("transcript", "Transcript"), ("tax_invoice_kr", "TaxInvoiceKr")],
)
def test_bare_names_are_the_built_in_schemas(name: str, class_name: str) -> None:
    assert schema(name).__name__ == class_name
    assert name in plugins.names(BUILT_IN)


def test_a_bare_name_finds_the_class_of_that_name_among_its_parts(tmp_path: Path) -> None:
    (tmp_path / "thing.py").write_text(ONE)
    assert schema("thing", tmp_path).__name__ == "Thing"


def test_engines_load_by_bare_name() -> None:
    engine = plugins.load("einvoice", Engine, HOME)
    assert engine.name == "einvoice" and engine.__module__ == "docpipe.extract.einvoice"


def test_a_path_and_a_module_name_a_class(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "my_things.py"
    file.write_text(ONE)
    assert schema(f"{file}:Part").__name__ == "Part"
    assert schema(f"{file}:Part") is schema(f"{file}:Part")
    monkeypatch.syspath_prepend(tmp_path)
    assert schema("my_things:Thing").__module__ == "my_things"


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("no_such_schema", "there is no 'no_such_schema'"),
        ("__init__", "there is no"),
        ("../schemas/invoice", "there is no"),
        ("nowhere:Invoice", "cannot import nowhere"),
        ("docpipe.annotations:Labels", "has no BaseModel called 'Labels'"),
        ("{folder}/missing.py:Thing", "there is no file"),
        ("{folder}/broken.py:Thing", "cannot be imported: ZeroDivisionError"),
        ("{folder}/thing.py:Other", "has no BaseModel called 'Other'"),
    ],
)
def test_what_cannot_be_loaded_is_a_typed_error(reference: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "thing.py").write_text(ONE)
    (tmp_path / "broken.py").write_text("1 / 0")
    with pytest.raises(SchemaError, match=says):
        schema(reference.format(folder=tmp_path))


def test_a_file_that_failed_is_read_anew(tmp_path: Path) -> None:
    file = tmp_path / "late.py"
    file.write_text("1 / 0")
    with pytest.raises(SchemaError):
        schema(f"{file}:Thing")
    file.write_text(ONE)
    assert schema(f"{file}:Thing").__name__ == "Thing"


def test_two_classes_and_no_name_is_a_question(tmp_path: Path) -> None:
    (tmp_path / "pair.py").write_text(ONE)
    with pytest.raises(SchemaError, match="found 2 classes, needs one"):
        schema("pair", tmp_path)


def test_a_users_own_schemas_package_never_shadows_the_built_in_ones(tmp_path: Path) -> None:
    decoy = tmp_path / "schemas"
    decoy.mkdir()
    (decoy / "__init__.py").write_text("")
    (decoy / "invoice.py").write_text("raise SystemExit('the decoy was imported')")
    code = "from docpipe.fields import load_schema; print(load_schema('invoice')[0].__name__)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, "Invoice"), done.stderr


def test_the_built_in_schemas_stand_alone() -> None:
    """A schema file may import docpipe.annotations and no other part of docpipe or of its own folder."""
    for file in BUILT_IN.glob("*.py"):
        imports = [line for line in file.read_text().splitlines() if line.startswith(("from ", "import "))]
        assert not [line for line in imports if "schemas" in line or ("docpipe" in line and "docpipe.annotations" not in line)], file.name


def test_loading_a_schema_needs_no_heavy_package() -> None:
    heavy = {"cv2", "pymupdf", "onnxruntime", "lxml"}
    code = f"import sys; from docpipe.fields import load_schema; load_schema('invoice'); print(*{heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


def test_load_schema_refuses_what_is_no_schema() -> None:
    with pytest.raises(SchemaError, match="there is no 'nothing'"):
        load_schema("nothing")


def test_a_file_that_several_threads_want_at_once_is_imported_once_and_whole(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(f"import time\ntime.sleep(0.3)\n{ONE}")
    found: list[object] = []

    def want() -> None:
        try:
            found.append(schema(f"{tmp_path / 'slow.py'}:Thing"))
        except SchemaError as problem:
            found.append(problem)

    threads = [threading.Thread(target=want) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(found) == 4 and len(set(found)) == 1 and isinstance(found[0], type)
