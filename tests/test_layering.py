"""Who may import whom, read off the source; and bare names that no package of the user's own can shadow."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from faces import ROOT, environment

HEAVY = {"torch", "transformers", "celery", "redis", "kombu", "requests", "httpx", "httpcore", "urllib3", "aiohttp", "openai", "socket"}
HEAVY |= {"llguidance", "accelerate", "huggingface_hub", "safetensors"}
HEAVY |= {"httpx2", "httpcore2"}
HEAVY |= {"opentelemetry", "prometheus_client"}  # only where somebody listens
STAGES = ("docpipe.preprocess", "docpipe.words", "docpipe.extract", "docpipe.validate")
FACES = (
    "docpipe.cli",
    "docpipe.commands",
    "docpipe.api",
    "docpipe.client",
    "docpipe.doctor",
    "docpipe.steps",
    "docpipe.batch",
    "docpipe.inline",
    "docpipe.indexing",
    "docpipe.inplace",
    "docpipe.packets",
    "docpipe.pool",
    "docpipe.questions",
    "docpipe.routing",
    "docpipe.shelf",
    "docpipe.sorting",
    "docpipe.view",
    "docpipe.sinks",
)
# part -> what of docpipe it must never import
FORBIDDEN = {
    "docpipe.records": (*STAGES, *FACES, "docpipe.pipeline", "docpipe.settings", "docpipe.plugins"),
    "docpipe.errors": ("docpipe",),
    "docpipe.annotations": ("docpipe",),
    "docpipe.pool": ("docpipe",),
    "docpipe.preprocess": ("docpipe.words", "docpipe.extract", "docpipe.validate", *FACES, "docpipe.pipeline", "docpipe.settings"),
    "docpipe.words": ("docpipe.extract", "docpipe.validate", *FACES, "docpipe.pipeline", "docpipe.settings"),
    "docpipe.extract": ("docpipe.validate", *FACES, "docpipe.pipeline", "docpipe.settings"),
    "docpipe.classify": ("docpipe.preprocess", "docpipe.words", "docpipe.validate", *FACES, "docpipe.pipeline", "docpipe.settings"),
    "docpipe.splitting": ("docpipe.preprocess", "docpipe.words", "docpipe.validate", *FACES, "docpipe.pipeline", "docpipe.settings"),
    "docpipe.calibration": (*STAGES, *FACES, "docpipe.classify", "docpipe.looks", "docpipe.pipeline", "docpipe.settings"),
    "docpipe.looks": (*STAGES, *FACES, "docpipe.classify", "docpipe.pipeline", "docpipe.settings"),
    "docpipe.validate": ("docpipe.preprocess", "docpipe.words", "docpipe.extract", *FACES, "docpipe.pipeline", "docpipe.settings"),
    "docpipe.backends": (*STAGES, *FACES, "docpipe.pipeline", "docpipe.settings", "docpipe.fields"),
    "docpipe.redact": (*STAGES, *FACES, "docpipe.pipeline", "docpipe.settings", "docpipe.backends"),
    "docpipe.sinks": (*STAGES, "docpipe.cli", "docpipe.commands", "docpipe.api", "docpipe.batch", "docpipe.pipeline", "docpipe.settings"),
    "docpipe.pipeline": (*FACES, "docpipe.settings", "docpipe.ledger", "docpipe.store"),
    "docpipe.ledger": (*STAGES, *FACES, "docpipe.pipeline", "docpipe.settings", "docpipe.store", "docpipe.artifacts", "docpipe.delivery"),
    "docpipe.search": (*STAGES, *FACES, "docpipe.pipeline", "docpipe.settings", "docpipe.ledger", "docpipe.store"),
    "docpipe.store": (*STAGES, *FACES, "docpipe.pipeline", "docpipe.settings", "docpipe.ledger", "docpipe.records"),
    "docpipe.source": (*STAGES, *FACES, "docpipe.pipeline", "docpipe.settings"),
    "docpipe.inline": (*STAGES, "docpipe.steps", "docpipe.store", "docpipe.batch", "docpipe.pipeline", "docpipe.settings"),
    "docpipe.steps": ("docpipe.settings", "docpipe.client", "docpipe.api", "docpipe.cli", "docpipe.commands", "docpipe.batch"),
    "docpipe.view.model": (*STAGES, "docpipe.pipeline", "docpipe.settings"),
    "docpipe.outbound": (*STAGES, *FACES, "docpipe.pipeline", "docpipe.settings", "docpipe.webhook"),
    "docpipe.webhook": (*STAGES, *FACES, "docpipe.pipeline", "docpipe.settings", "docpipe.outbound"),
    "docpipe.values": (*STAGES, *FACES, "docpipe.pipeline", "docpipe.settings"),
}


def modules(package: str) -> dict[str, Path]:
    """Dotted name -> file of every module in a package of the project."""
    files = (ROOT / package).rglob("*.py")
    return {".".join(part for part in file.relative_to(ROOT).with_suffix("").parts if part != "__init__"): file for file in files}


def imports(file: Path, *, typing_too: bool = False) -> set[str]:
    """Every module that the file imports, wherever in it; what only a type checker sees is left out."""
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test) and not typing_too:
            return
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(file.read_text(encoding="utf-8")))
    return found


def within(name: str, packages) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def test_docpipe_never_imports_its_applications():
    for name, file in modules("docpipe").items():
        assert not [found for found in imports(file, typing_too=True) if within(found, ("workers", "schemas", "samples", "tests"))], name


def test_schemas_import_only_the_annotations():
    for name, file in modules("schemas").items():
        bad = [found for found in imports(file) if within(found, ("docpipe", "workers")) and not within(found, ("docpipe.annotations",))]
        assert not bad, name


def test_nothing_heavy_or_with_a_network_is_imported_by_the_library():
    for name, file in modules("docpipe").items():
        if not within(name, ("docpipe.backends", "docpipe.doctor", "docpipe.outbound.wire", "docpipe.telemetry")):
            assert not {found.partition(".")[0] for found in imports(file)} & HEAVY, name


@pytest.mark.parametrize("part", FORBIDDEN)
def test_imports_point_one_way(part):
    for name, file in modules("docpipe").items():
        if within(name, (part,)):
            forbidden = [package for package in FORBIDDEN[part] if not within(part, (package,)) or package == "docpipe"]
            bad = [found for found in imports(file) if within(found, forbidden) and not within(found, (part,))]
            assert not bad, f"{name} imports {bad}"


def test_engines_and_sinks_do_not_know_each_other():
    for folder in ("docpipe/sinks", "docpipe/words/ocr", "docpipe/extract/engines"):
        peers = {file.stem for file in (ROOT / folder).glob("*.py") if not file.stem.startswith("_")}
        package = folder.replace("/", ".")
        for file in (ROOT / folder).glob("*.py"):
            bad = [found for found in imports(file) if any(within(found, (f"{package}.{peer}",)) for peer in peers - {file.stem})]
            assert not bad, f"{file} imports {bad}"


def test_only_the_faces_read_the_settings():
    for name, file in modules("docpipe").items():
        if any(within(found, ("docpipe.settings",)) for found in imports(file)):
            assert within(name, ("docpipe.api", "docpipe.client", "docpipe.commands", "docpipe.request", "docpipe.settings")), name
        if name != "docpipe.settings":
            assert "os.getenv" not in file.read_text(encoding="utf-8"), name


def test_the_library_imports_without_the_heavy_parts():
    script = (
        "import sys\n"
        f"heavy = {HEAVY - {'socket'}!r}\n"
        "import docpipe.pipeline, docpipe.api, docpipe.batch, docpipe.outbound, docpipe.webhook\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & heavy))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, env=environment(), check=True, text=True)
    assert done.stdout.strip() == "[]"


def test_decoys_on_the_path_shadow_nothing(tmp_path):
    for package in ("schemas", "workers"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("raise SystemExit('the decoy was imported')")
        (tmp_path / package / "invoice.py").write_text("raise SystemExit('the decoy was imported')")
    (tmp_path / "invoice.py").write_text("raise SystemExit('the decoy was imported')")
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from docpipe.fields import load_schema\n"
        "from docpipe.extract import load_engine\n"
        "print(load_schema('invoice')[0].__name__, load_engine('labels').name)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, env=environment(PYTHONPATH=f"{tmp_path}:{ROOT}"), cwd=tmp_path, text=True
    )
    assert (done.returncode, done.stdout) == (0, "Invoice labels\n"), done.stderr
