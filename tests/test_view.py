"""The page that shows a result: self-contained, escaped, and showing what belongs together."""

import json
import re
from html.parser import HTMLParser

import pytest
from faces import pdf, plugins, reading_options, scan

from docpipe.cli import main
from docpipe.errors import MismatchError, NotFoundError
from docpipe.records import Alternative, Document, Field, Issue, PageSummary, Producer, Result, SchemaRef, Word
from docpipe.view import build_html, script_json
from docpipe.view.model import Picture, groups_of, sheets_of

EVIL = "</script><img src=x onerror=alert(1)>\"'&{{7*7}}\u2028"
PIXEL = "data:image/webp;base64,AAAA"


def result(**more) -> Result:
    fields = (
        Field(
            path="number", value="A-1", raw="A-1", page=1, box=(10, 20, 60, 30), engine="labels", confidence=0.9, confirmed_by=("label",)
        ),
        Field(
            path="seller.name",
            value=EVIL,
            raw=EVIL,
            page=2,
            box=(0, 0, 100, 50),
            engine="labels",
            confidence=0.4,
            label=EVIL,
            label_box=(0, 60, 50, 70),
            alternatives=(Alternative(value=EVIL, page=2, box=(1, 1, 2, 2), engine="vlm"),),
        ),
        Field(path="items[0].amount", value="1.00", page=1, box=(0, 0, 1, 1), engine="labels", confidence=0.5),
        Field(path="items[1].amount", value="2.00", engine="einvoice", confidence=1.0),
    )
    parts = {
        "status": "review",
        "document": Document(name=EVIL, sha256="1" * 64, media_type="application/pdf", pages=3),
        "schema_ref": SchemaRef(name="paper", sha256="2" * 64),
        "data": {"number": "A-1", "seller": {"name": EVIL, "tax_id": None}, "items": [{"amount": "1.00"}, {"amount": "2.00"}]},
        "fields": fields,
        "issues": (
            Issue(code="sum", severity="error", path="items[0].amount", page=1, message=EVIL),
            Issue(code="whole", message="of the document"),
        ),
        "pages": (
            PageSummary(number=1, status="done", width=200, height=100),
            PageSummary(number=2, status="done", width=100, height=200, rotation=90),
            PageSummary(number=3, status="failed", error="deadline"),
        ),
        "producer": Producer(docpipe="1"),
    }
    return Result[dict](**(parts | more))


class Reader(HTMLParser):
    """Elements with their attributes, and the text of the page by element."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.script, self._in = [], "", None
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._in = dict(attrs).get("id") if tag == "script" else None

    def handle_data(self, data):
        self.script += data if self._in == "result" else ""

    def having(self, css):
        return [attrs for _, attrs in self.elements if css in (attrs.get("class") or "").split()]


def test_nothing_outside_is_asked_for_and_no_text_becomes_markup():
    html = build_html(result(), {1: Picture(image=PIXEL), 2: Picture(words=(Word(EVIL, 0, 0, 10, 10),))})
    page = Reader(html)
    assert [attrs["src"] for tag, attrs in page.elements if tag == "img"] == [PIXEL]
    assert sum(tag == "script" for tag, _ in page.elements) == 2
    for tag, attrs in page.elements:
        assert tag not in ("link", "iframe", "object", "base", "form")
        assert not any(name.startswith("on") or name in ("href", "srcdoc", "action") for name in attrs)
    assert not re.search(r"https?:|url\(|@import|//[a-z]", html.replace("// ", ""))
    assert "49" not in html.partition("{{7*7}}")[0][-20:]
    assert json.loads(page.script)["fields"][1]["value"] == EVIL
    policy = next(attrs["content"] for tag, attrs in page.elements if attrs.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in policy and "unsafe-inline'; script" in policy and "script-src 'sha256-" in policy


def test_json_cannot_leave_its_script_element():
    text = str(script_json({"a": EVIL, "<!--": ["]]>", "<script>"]}))
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == {"a": EVIL, "<!--": ["]]>", "<script>"]}


def test_fields_stand_in_groups_with_their_state_and_missing_values_are_named():
    groups = groups_of(result())
    assert [group.title for group in groups] == ["", "seller", "items[0]", "items[1]"]
    states = {entry.path: entry.state for group in groups for entry in group.entries}
    assert states == {
        "number": "sure",
        "seller.name": "check",
        "seller.tax_id": "none",
        "items[0].amount": "wrong",
        "items[1].amount": "check",
    }


def test_boxes_stand_where_the_values_are():
    first, second, third = sheets_of(result(), {})
    assert first.marks[0][2:] == ("number: A-1", 5.0, 20.0, 25.0, 10.0)
    assert [mark.field for mark in second.marks] == [1]
    assert (third.width, third.height) == (595.0, 842.0), "a failed page has a frame all the same"
    page = Reader(build_html(result(), {}))
    assert len(page.having("mark")) == 3 and len(page.having("sheet")) == 3
    assert {attrs["data-field"] for attrs in page.having("field") if "data-field" in attrs} == {"0", "1", "2", "3"}


def test_a_result_without_anything_is_a_page_too():
    html = build_html(result(fields=(), issues=(), pages=(), data={}, status="failed"), {})
    assert "No field was read." in html and "The document has no pages." in html


# ---- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def made(tmp_path, capsys):
    """A result of a scan with its work folder."""
    document = scan(tmp_path / "scan.pdf")
    main(["run", str(document), "--work", str(tmp_path / "work"), "--out", str(tmp_path / "r.json"), *reading_options(plugins(tmp_path))])
    capsys.readouterr()
    return tmp_path


@pytest.mark.parametrize("source", [[], ["--work", "work"], ["--document", "scan.pdf"]])
def test_view_from_work_document_or_nothing(made, capsys, source):
    arguments = [str(made / part) if not part.startswith("-") else part for part in source]
    assert main(["view", str(made / "r.json"), *arguments]) == 0
    assert capsys.readouterr().out == f"{made / 'r.html'}\n"
    images = re.findall(r'src="data:image/webp;base64,([^"]+)"', (made / "r.html").read_text(encoding="utf-8"))
    assert len(images) == bool(source)
    assert all(len(image) > 500 for image in images)


def test_words_stand_in_where_a_page_needed_no_image(tmp_path, capsys):
    document = pdf(tmp_path / "a.pdf", "Readable <words>")
    main(["run", str(document), "--work", str(tmp_path / "w"), "--out", str(tmp_path / "r.json"), *reading_options(plugins(tmp_path))])
    assert main(["view", str(tmp_path / "r.json"), "--work", str(tmp_path / "w"), "--out", str(tmp_path / "v.html")]) == 0
    html = (tmp_path / "v.html").read_text(encoding="utf-8")
    assert "Readable</text>" in html and "&lt;words&gt;</text>" in html and "<words>" not in html


def test_what_does_not_belong_together_is_refused(made, capsys):
    other = pdf(made / "other.pdf")
    main(["run", str(other), "--work", str(made / "other"), "--out", str(made / "o.json"), *reading_options(plugins(made))])
    (made / "empty").mkdir()
    (made / "bad.json").write_text('{"contract": "1.0"')
    (made / "list.json").write_text("[]")
    for arguments, kind in (
        ([made / "r.json", "--document", other], MismatchError),
        ([made / "r.json", "--work", made / "other"], MismatchError),
        ([made / "r.json", "--work", made / "empty"], MismatchError),
        ([made / "r.json", "--work", made / "gone"], NotFoundError),
        ([made / "r.json", "--document", made / "gone.pdf"], NotFoundError),
        ([made / "bad.json"], MismatchError),
        ([made / "list.json"], MismatchError),
        ([made / "gone.json"], NotFoundError),
        ([made], NotFoundError),
    ):
        assert main(["view", *map(str, arguments)]) == kind.exit_code, arguments
        err = capsys.readouterr().err
        assert err.splitlines()[-1].startswith(f"docpipe: error: {kind.code}: ") and "Traceback" not in err
    before = (made / "r.json").read_bytes()
    assert main(["view", str(made / "r.json"), "--out", str(made / "r.json")]) == 2
    assert (made / "r.json").read_bytes() == before
