"""Every sample is read as it was drawn, through the whole pipeline and nothing else."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from docpipe.api import Reader
from docpipe.records import Result

SAMPLES = Path(__file__).resolve().parent.parent / "samples"
EXPECTED = sorted((SAMPLES / "expected").glob("*.json"))


@cache
def read(name: str) -> Result[Any]:
    schema = json.loads((SAMPLES / "expected" / f"{name}.json").read_text())["schema"]
    (document,) = (path for path in SAMPLES.glob(f"{name}.*") if path.suffix != ".py")
    return Reader(schema).read(document)


def said(value: Any) -> Any:
    """What is said: nulls and empty lists left out."""
    if isinstance(value, dict):
        return {key: kept for key, part in value.items() if (kept := said(part)) not in (None, [], {})}
    return [said(part) for part in value] if isinstance(value, list) else value


def data(name: str) -> Any:
    return said(json.loads(read(name).to_json())["data"])


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda path: path.stem)
def test_a_sample_gives_its_expected_data(expected: Path) -> None:
    assert data(expected.stem) == said(json.loads(expected.read_text())["data"])


def test_the_scan_says_what_the_original_says() -> None:
    assert data("invoice_scan") == data("invoice")


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda path: path.stem)
def test_every_value_that_was_read_off_a_page_shows_where(expected: Path) -> None:
    result = read(expected.stem)
    sizes = {page.number: (page.width, page.height) for page in result.pages}
    for field in result.fields:
        if field.engine == "labels" and field.box is not None:
            width, height = sizes[field.page or 0]
            x0, y0, x1, y1 = field.box
            assert -1 <= x0 < x1 <= width + 1 and -1 <= y0 < y1 <= height + 1, field.path
        assert field.engine == "einvoice" or field.box is not None or field.value is None, field.path


def test_the_invoices_that_can_be_proven_are_accepted() -> None:
    assert read("invoice").status == "accepted"
    assert read("facturx").status == "accepted"
