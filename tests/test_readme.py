"""The README's commands and programs run as they are printed, and the pages of docs/ name what exists."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from docpipe.cli import build_parser
from docpipe.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that looks like a fresh clone, so that what the commands write lands nowhere else."""
    folder = tmp_path_factory.mktemp("clone")
    for name in ("samples", "schemas", "docpipe"):
        (folder / name).symlink_to(ROOT / name)
    return folder


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done


def test_every_console_command_runs(checkout: Path) -> None:
    commands = [line[2:] for block in blocks("console") for line in block.splitlines() if line.startswith("$ ")]
    assert len(commands) >= 8
    for command in commands:
        program, *arguments = shlex.split(command)
        assert program == ".venv/bin/docpipe"
        run([sys.executable, "-m", "docpipe", *arguments], checkout)


def test_the_python_example_runs(checkout: Path) -> None:
    (example,) = [block for block in blocks("python") if "docpipe.run(" in block]
    (checkout / "example.py").write_text(example)
    printed = run([sys.executable, "example.py"], checkout).stdout
    assert "gross_total" in printed


def test_the_schema_example_is_a_schema_that_lints(checkout: Path) -> None:
    (example,) = [block for block in blocks("python") if "class DeliveryNote" in block]
    (checkout / "delivery_note.py").write_text(example)
    run([sys.executable, "-m", "docpipe", "schema", "check", "delivery_note.py:DeliveryNote"], checkout)


def test_the_two_set_up_commands_are_targets_of_the_makefile() -> None:
    first = blocks("sh")[0]
    assert re.findall(r"^make ([\w-]+)", first, re.MULTILINE) == ["demo", "test"]
    targets = [target for block in blocks("sh") for target in re.findall(r"^make ([\w-]+)", block, re.MULTILINE)]
    assert all(re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE) for target in targets)


def test_every_command_of_the_queue_is_one_with_these_options() -> None:
    lines = [line.partition(" #")[0] for block in blocks("sh") for line in block.splitlines() if line.startswith("docpipe ")]
    assert len(lines) >= 5
    for line in lines:
        build_parser().parse_args(shlex.split(line)[1:])


@pytest.mark.queue
def test_the_queue_example_runs_beside_a_local_queue(checkout: Path, tmp_path: Path) -> None:
    (example,) = [block for block in blocks("python") if "docpipe.client" in block]
    (checkout / "queue_example.py").write_text(example + "    print(result.status)\n")
    local = [sys.executable, "-m", "workers", "local", "--folder", str(tmp_path / "queue"), "--", sys.executable, "queue_example.py"]
    assert run(local, checkout).stdout == "accepted\n"


def test_every_link_of_the_readme_leads_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert links and all((ROOT / link).exists() for link in links)


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)]+)\)", page.read_text()) if "://" not in link]
    assert all((page.parent / link).exists() for link in links)


def test_every_command_for_operators_is_one_with_these_options() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    written = re.findall(r"^(?:docpipe |docker compose run --rm docpipe )(.+)$", text, re.MULTILINE) + re.findall(r"`docpipe (.+?)`", text)
    assert len(written) >= 10
    for words in written:
        build_parser().parse_args(shlex.split(words.partition(" #")[0]))


def test_every_setting_is_documented() -> None:
    documented = set(re.findall(r"`DOCPIPE_(\w+)`", (ROOT / "docs" / "settings.md").read_text()))
    assert documented == {name.upper() for name in Settings.model_fields}
