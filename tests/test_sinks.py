"""Sinks: what a result looks like as files and tables."""

import csv
import json
from datetime import date
from decimal import Decimal

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from docpipe.errors import UsageError
from docpipe.records import Document, Producer, Result, SchemaRef
from docpipe.sinks import Sink, load_sink
from docpipe.sinks._cells import FORMULA_STARTS, neutral
from docpipe.sinks._workbook import LONGEST_TEXT, write_workbook


class Item(BaseModel):
    what: str | None = None
    amount: Decimal | None = None
    tags: list[str] = []


class Party(BaseModel):
    name: str | None = None


class Paper(BaseModel):
    number: str | None = None
    day: date | None = None
    total: Decimal | None = None
    paid: bool | None = None
    file: str | None = None
    seller: Party = Party()
    items: list[Item] = []


def result(data: BaseModel | dict, **more) -> Result:
    return Result[Paper](
        status="review",
        document=Document(name="a.pdf", sha256=more.pop("sha256", "1" * 64), media_type="application/pdf", pages=2),
        schema_ref=SchemaRef(name="paper", sha256="2" * 64),
        data=data,
        producer=Producer(docpipe="1"),
        **more,
    )


PAPER = Paper(
    number="0012",
    day=date(2024, 2, 29),
    total=Decimal("-12.50"),
    paid=True,
    file="own",
    seller=Party(name='=cmd|"/C calc"!A0'),
    items=[Item(what="@SUM(A1)", amount=Decimal("-3.10"), tags=["x", "y"]), Item(what="plain", amount=Decimal("12345678901234567.89"))],
)


def write(name: str, target, *results: tuple[str, Result]) -> None:
    with load_sink(name, target) as sink:
        for file, one in results:
            sink.write(one, name=file)


def read_csv(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_csv_has_a_row_a_document_and_a_file_a_list(tmp_path):
    write("table", tmp_path, ("x/a.pdf", result(PAPER)), ("b.pdf", result(Paper())))
    first, second = read_csv(tmp_path / "results.csv")
    assert first == {
        "file": "x/a.pdf",
        "status": "review",
        "pages": "2",
        "issues": "0",
        "number": "0012",
        "day": "2024-02-29",
        "total": "-12.50",
        "paid": "true",
        "data.file": "own",
        "seller.name": '\'=cmd|"/C calc"!A0',
    }
    assert second["number"] == "" and second["file"] == "b.pdf"
    items = read_csv(tmp_path / "results.items.csv")
    assert [(row["file"], row["row"], row["what"], row["amount"], row["tags"]) for row in items] == [
        ("x/a.pdf", "1", "'@SUM(A1)", "-3.10", '["x", "y"]'),
        ("x/a.pdf", "2", "plain", "12345678901234567.89", "[]"),
    ]


def test_xlsx_keeps_types_and_runs_nothing(tmp_path):
    write("table", tmp_path, ("a.pdf", result(PAPER)))
    book = openpyxl.load_workbook(tmp_path / "results.xlsx")
    assert book.sheetnames == ["documents", "items"]
    header, row = book["documents"].iter_rows()
    cells = dict(zip((cell.value for cell in header), row, strict=True))
    assert cells["number"].value == "0012" and cells["number"].data_type == "s"
    assert cells["total"].value == -12.5 and cells["total"].data_type == "n"
    assert cells["day"].value.date() == date(2024, 2, 29)
    assert cells["paid"].value is True
    assert cells["seller.name"].value == '=cmd|"/C calc"!A0' and cells["seller.name"].data_type == "s" and cells["seller.name"].quotePrefix
    rows = list(book["items"].iter_rows(values_only=True))
    assert rows[1][2:4] == ("@SUM(A1)", -3.1)
    assert rows[2][3] == "12345678901234567.89", "a number that a spreadsheet would round stays text"
    assert not any(cell.data_type == "f" for sheet in book for line in sheet.iter_rows() for cell in line)


def test_a_list_that_became_empty_empties_its_table(tmp_path):
    write("table", tmp_path, ("a.pdf", result(PAPER)))
    write("table", tmp_path, ("a.pdf", result(Paper())))
    assert read_csv(tmp_path / "results.items.csv") == []


def test_a_table_can_be_one_file(tmp_path):
    write("table", tmp_path / "t.xlsx", ("a.pdf", result(PAPER)))
    write("table", tmp_path / "t.csv", ("a.pdf", result(PAPER)))
    assert {path.name for path in tmp_path.iterdir()} == {"t.xlsx", "t.csv", "t.items.csv"}
    for target in (None, tmp_path / "t.pdf"):
        with pytest.raises(UsageError):
            load_sink("table", target)


def test_plain_data_that_did_not_validate_is_written_too(tmp_path):
    write("table", tmp_path, ("a.pdf", result({"number": "7", "items": [{"what": "x"}, "odd"], "total": "lots"})))
    assert read_csv(tmp_path / "results.csv")[0]["total"] == "lots"
    assert [row["value"] for row in read_csv(tmp_path / "results.items.csv")] == ["", "odd"]


def test_long_text_and_many_rows_fit_a_workbook(tmp_path, monkeypatch):
    monkeypatch.setattr("docpipe.sinks._workbook.MOST_ROWS", 3)
    title = "a/very:long*title that [no] sheet? can have"
    with (tmp_path / "b.xlsx").open("wb") as file:
        write_workbook(file, {title: (("text",), ([text] for text in ("x" * 40_000, "b\x00\x1bc", "3", "4", "5"))), "empty": (("a",), [])})
    book = openpyxl.load_workbook(tmp_path / "b.xlsx")
    assert len(book.sheetnames) == 4 and book.sheetnames[-1] == "empty"
    texts = [row[0] for sheet in book.worksheets[:3] for row in list(sheet.iter_rows(values_only=True))[1:]]
    assert len(texts[0]) == LONGEST_TEXT and texts[0].endswith(" [cut]") and texts[1:] == ["bc", "3", "4", "5"]


@given(st.text())
def test_no_text_starts_a_formula(text):
    safe = neutral(text)
    assert not safe.lstrip(" ").startswith(FORMULA_STARTS) or safe[1:].replace(".", "", 1).isdigit()


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("-12.50", "-12.50"),
        ("-1+1", "'-1+1"),
        ("+49 30 1", "'+49 30 1"),
        ("\t=1", "'\t=1"),
        ("  =1", "'  =1"),
        ("＝1", "'＝1"),
        ("a=1", "a=1"),
    ],
)
def test_negative_numbers_stay_numbers(text, safe):
    assert neutral(text) == safe


def test_lines_are_results_led_by_their_file(tmp_path):
    write("jsonl", tmp_path, ("x/ä.pdf", result(PAPER)), ("b.pdf", result({"number": "1"})))
    first, second = ((tmp_path / "results.jsonl").read_text(encoding="utf-8")).splitlines()
    assert first.startswith('{"file":"x/ä.pdf","contract":"1.0"')
    assert json.loads(second)["data"]["number"] == "1"


def test_a_call_that_is_cut_short_leaves_the_old_file(tmp_path):
    write("jsonl", tmp_path, ("a.pdf", result(PAPER)))
    before = (tmp_path / "results.jsonl").read_bytes()
    with pytest.raises(KeyboardInterrupt), load_sink("jsonl", tmp_path) as sink:
        sink.write(result(Paper()), name="b.pdf")
        raise KeyboardInterrupt
    assert (tmp_path / "results.jsonl").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["results.jsonl"]


def test_a_json_file_is_the_contract(tmp_path):
    write("json_file", tmp_path / "r.json", ("a.pdf", result(PAPER)))
    assert Result[Paper].model_validate_json((tmp_path / "r.json").read_bytes()) == result(PAPER)
    assert (tmp_path / "r.json").stat().st_mode & 0o777 == 0o666 & ~umask()


def test_a_sink_in_one_file(tmp_path):
    (tmp_path / "count.py").write_text(
        "from docpipe.sinks import Sink\n"
        "class Count(Sink):\n"
        "    seen = 0\n"
        "    def write(self, result, *, name):\n"
        "        self.seen += 1\n"
        "    def close(self):\n"
        "        self.file('count.txt').write_text(str(self.seen))\n"
    )
    write(f"{tmp_path}/count.py:Count", tmp_path, ("a", result(PAPER)), ("b", result(PAPER)))
    assert (tmp_path / "count.txt").read_text() == "2"
    assert issubclass(Sink, object)


def umask() -> int:
    import os

    mask = os.umask(0)
    os.umask(mask)
    return mask
