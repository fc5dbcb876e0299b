"""The samples in the repository are what samples/make.py draws, and their expected data fits the schemas and adds up."""

import hashlib
import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pymupdf
import pytest
from PIL import Image
from stdnum import iban

import docpipe
from docpipe.fields import load_schema
from docpipe.values.identifiers import checksum

SAMPLES = Path(__file__).parent.parent / "samples"


@pytest.fixture(scope="module")
def make() -> Any:
    """The script as a module."""
    sys.path.insert(0, str(SAMPLES))
    try:
        import make

        return make
    finally:
        sys.path.remove(str(SAMPLES))


def expected(name: str) -> dict[str, Any]:
    return json.loads((SAMPLES / "expected" / f"{name}.json").read_text())


def names() -> list[str]:
    return sorted(path.stem for path in (SAMPLES / "expected").glob("*.json"))


def test_every_sample_has_its_expected_data_and_nothing_is_left_over(make: Any) -> None:
    assert {sample.file for sample in make.SAMPLES} == {path.name for path in SAMPLES.iterdir() if path.suffix in {".pdf", ".jpg", ".tif"}}
    assert sorted(Path(sample.file).stem for sample in make.SAMPLES) == names()


def test_expected_data_is_what_the_script_says(make: Any) -> None:
    for sample in make.SAMPLES:
        assert (SAMPLES / "expected" / f"{Path(sample.file).stem}.json").read_bytes() == make.expected_bytes(sample), sample.file


@pytest.mark.parametrize("file", ["invoice.pdf", "rotated.pdf", "form.pdf", "tax_invoice_kr.pdf", "facturx.pdf"])
def test_drawn_pages_show_what_the_script_draws(make: Any, file: str) -> None:
    (sample,) = [sample for sample in make.SAMPLES if sample.file == file]
    assert picture(sample.content()) == picture((SAMPLES / file).read_bytes())


def picture(content: bytes) -> list[str]:
    """What the pages show, whatever the file's bytes are."""
    document = pymupdf.open(stream=content, filetype="pdf")
    return [hashlib.sha256(page.get_pixmap(dpi=60).samples).hexdigest() + page.get_text() for page in document]


def test_drawing_twice_gives_the_same_bytes(make: Any) -> None:
    (sample,) = [sample for sample in make.SAMPLES if sample.file == "facturx.pdf"]
    assert sample.content() == sample.content()


@pytest.mark.parametrize("name", names())
def test_expected_data_is_whole_and_fits_its_schema(name: str) -> None:
    said = expected(name)
    schema, _ = load_schema(said["schema"])
    value = schema.model_validate(said["data"])
    assert set(said["data"]) == set(schema.model_fields)
    assert schema.model_validate_json(value.model_dump_json()) == value


@pytest.mark.parametrize("name", [name for name in names() if expected(name)["schema"] == "invoice"])
def test_invoices_add_up_and_their_checksums_hold(name: str) -> None:
    data = expected(name)["data"]
    rows = sum(Decimal(row["amount"]) for row in data["line_items"])
    assert rows + Decimal(data["charge_total"] or 0) == Decimal(data["net_total"])
    assert Decimal(data["net_total"]) + Decimal(data["tax_total"]) == Decimal(data["gross_total"])
    assert all(Decimal(row["quantity"]) * Decimal(row["unit_price"]) == Decimal(row["amount"]) for row in data["line_items"])
    assert data["iban"] is None or iban.is_valid(data["iban"])
    assert all(checksum("tax_id", party["tax_id"]) for party in (data["seller"], data["buyer"]) if party["tax_id"])


@pytest.mark.parametrize("name", ["invoice", "rotated", "facturx", "tax_invoice_kr"])
def test_what_is_expected_of_a_text_page_is_printed_on_it(name: str) -> None:
    data = expected(name)["data"]
    printed = set(" ".join(page.get_text() for page in pymupdf.open(SAMPLES / f"{name}.pdf")).split())
    for row in data.get("line_items") or data["items"]:
        assert set(row["description"].split()) <= printed


def test_the_xml_in_the_facturx_sample_says_what_is_expected() -> None:
    said = expected("facturx")
    schema, _ = load_schema(said["schema"])
    assert docpipe.run(SAMPLES / "facturx.pdf", schema=said["schema"], engines=["einvoice"]).data == schema.model_validate(said["data"])


def test_scans_have_no_text_and_the_samples_stay_small() -> None:
    for name in ("invoice_scan", "upside_down_scan"):
        assert not any(page.get_text().strip() for page in pymupdf.open(SAMPLES / f"{name}.pdf"))
    with Image.open(SAMPLES / "fax.tif") as fax:
        assert fax.n_frames == 2
    assert sum(path.stat().st_size for path in SAMPLES.rglob("*") if path.is_file()) < 3_000_000
