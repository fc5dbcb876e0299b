"""Errors, settings, the workspace and the records' JSON."""

import io
import json

import pytest
from pydantic import ValidationError

from docpipe import errors
from docpipe.records import OUTCOMES, Candidate, Failure, Reading, Word, Words
from docpipe.settings import read_settings
from docpipe.workspace import Workspace, temporary, write_atomic


def every_error() -> list[type[errors.DocpipeError]]:
    return [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, errors.DocpipeError)]


@pytest.mark.parametrize("error", every_error())
def test_every_error_is_drawn_in_the_tree_and_has_a_code(error: type[errors.DocpipeError]) -> None:
    assert error is errors.DocpipeError or f"{error.__name__} " in (errors.__doc__ or "")
    assert error.code and 0 < error.exit_code < 126


def test_an_error_says_code_file_message_and_hint() -> None:
    assert str(errors.NotFoundError("no such file", file="a.pdf")) == "not_found: a.pdf: no such file (check the path)"


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCPIPE_MAX_PAGES", "7")
    monkeypatch.setenv("DOCPIPE_MAX_BYTES", "2MB")
    limits = read_settings().limits()
    assert (limits.pages, limits.file_bytes) == (7, 2_000_000)


def test_a_bad_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCPIPE_PAGE_SECONDS", "soon")
    with pytest.raises(errors.SettingsError, match="DOCPIPE_PAGE_SECONDS"):
        read_settings()


def test_records_survive_json_and_refuse_unknown_keys() -> None:
    words = Words(page=1, width=10, height=10, source="ocr", words=(Word("a", 0, 0, 1, 1, 0.5, 3),))
    assert Words.model_validate_json(words.model_dump_json()) == words
    with pytest.raises(ValidationError):
        Candidate.model_validate({"path": "a", "engine": "x", "valeu": "typo"})


def test_outcomes_are_told_apart_by_kind() -> None:
    outcomes = [Reading(engine="labels"), Failure(engine="vlm", code="deadline")]
    assert OUTCOMES.validate_json(OUTCOMES.dump_json(outcomes)) == outcomes


class Breaking(io.RawIOBase):
    """A source that breaks after its first bytes."""

    def __init__(self) -> None:
        self.given = False

    def read(self, size: int = -1) -> bytes:
        if self.given:
            raise OSError("the source broke")
        self.given = True
        return b"half"


def test_a_write_that_fails_leaves_the_old_file_and_no_draft(tmp_path) -> None:
    target = write_atomic(tmp_path / "result.json", b"old")
    with pytest.raises(OSError, match="the source broke"):
        write_atomic(target, Breaking())
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]


def test_a_temporary_workspace_is_gone_afterwards() -> None:
    with temporary() as space:
        path = space.save(space.page(3, "words.json"), Words(page=3, width=1, height=1, source="none"))
        assert path.name == "page-0003.words.json" and json.loads(path.read_text())["page"] == 3
        assert space.load(path, Words).page == 3
    assert not space.folder.exists()


def test_a_workspace_makes_its_folder(tmp_path) -> None:
    assert Workspace(tmp_path / "a" / "b").folder.is_dir()
