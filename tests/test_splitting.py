"""Where a packet is cut: plans, printed page numbers, codes, evidence; and `docpipe split`. Every page is drawn here."""

import io
import json
import os
import random
from pathlib import Path

import drawn_invoices
import made_invoices
import numpy as np
import pymupdf
import pytest
import zxingcpp
from PIL import Image

from docpipe import errors
from docpipe.classify import UNKNOWN, PageVerdict, load_classes
from docpipe.classify.words import WordsClassifier
from docpipe.cli import main
from docpipe.packets import split_document, write_parts
from docpipe.records import Page, Word, Words
from docpipe.request import make_request
from docpipe.settings import Settings
from docpipe.splitting import Code, Plan, Sheet, Split, codes_of, cut, cut_as_asked, read_plan, wants_codes
from docpipe.splitting.evidence import DESCRIPTIONS, SORTS
from docpipe.splitting.lines import lines_of
from docpipe.splitting.page_numbers import printed_number
from docpipe.splitting.traits import traits_of
from docpipe.splitting.weights import FEATURES

pytestmark = pytest.mark.classify
AUTO = Plan()
CLASSES = load_classes([])
JUDGE = WordsClassifier()
LETTER = ("Dear Ms Imker,", "the bees have come through the winter well and we ask you to call on us", "before the end of the month.")


# ---- drawing ---------------------------------------------------------------------------------------------------------


def words_of(lines: dict[float, str], number: int = 1, size: float = 10) -> Words:
    """Lines by their height on an A4 page."""
    found = []
    for place, (y, text) in enumerate(lines.items()):
        x = 60.0
        for word in text.split():
            found.append(Word(word, x, y, x + 5 * len(word), y + size, 1.0, place))
            x += 5 * len(word) + 4
    return Words(page=number, width=595, height=842, source="text_layer", words=tuple(found))


def sheet(words: Words, number: int, *, status: str = "done", kind: str = "", codes: tuple[Code, ...] = (), judged: bool = True) -> Sheet:
    words = words.model_copy(update={"page": number})
    page = Page(number=number, width=words.width, height=words.height, status=status, error="page" if status == "failed" else None)
    verdict = PageVerdict(page=number, choice=UNKNOWN, score=1.0, kind="blank" if status == "blank" else "content")
    if status == "done" and judged:
        verdict = JUDGE.judge(words, None, CLASSES)
    return Sheet(page, words, verdict.model_copy(update={"kind": kind} if kind else {}), codes)


def packet(*documents: list[Words]) -> list[Sheet]:
    pages = [words for document in documents for words in document]
    return [sheet(words, number) for number, words in enumerate(pages, start=1)]


def note(seller: str, phone: str, number: str, day: str) -> Words:
    """The invoice of one page that somebody sends."""
    return words_of(
        {40: seller, 54: f"Tel. {phone}", 100: "Invoice", 130: f"Invoice number {number}", 144: f"Invoice date {day}",
         200: "Bill to: Nordlicht",
         300: "Description Quantity Amount", 314: "Lamp 2 40.00", 328: "Shade 1 12.00", 400: "Net total 52.00", 414: "Gross total 62.40"}
    )  # fmt: skip


FIRST = note("Lindenhof Leuchten GmbH", "06421 77120", "R-20417", "03/05/2024")
SECOND = note("Brightwell Lamps Ltd", "0113 496 0999", "77/5512", "17/06/2023")


def blank(number: int) -> Sheet:
    return sheet(words_of({}), number, status="blank")


def bill(seed: int, rows: int = 6, per_page: int | None = None) -> list[Words]:
    return made_invoices.make(seed, rows=rows, per_page=per_page).pages


def pages_of(split: Split) -> list[tuple[int, ...]]:
    return [part.pages for part in split.parts]


def pdf(path: Path, *pages: tuple[str, ...] | Image.Image, **options) -> Path:
    """One page each: lines of text, or a picture in its middle."""
    document = pymupdf.open()
    for content in pages:
        page = document.new_page()
        if isinstance(content, Image.Image):
            packed = io.BytesIO()
            content.save(packed, "PNG")
            page.insert_image((150, 200, 450, 500), stream=packed.getvalue())
            continue
        for place, line in enumerate(content):
            page.insert_text((60, 80 + 22 * place), line)
    document.save(path, **options)
    return path


def barcode(text: str, kind: object = zxingcpp.BarcodeFormat.QRCode, scale: int = 4) -> Image.Image:
    return Image.fromarray(np.array(zxingcpp.write_barcode_to_image(zxingcpp.create_barcode(text, kind), scale=scale)))


def three_bills(path: Path) -> Path:
    bills = [drawn_invoices.honest(language, layout, 3) for language, layout in (("en", "columns"), ("de", "lines"), ("fr", "grid"))]
    return drawn_invoices.save(path, *bills)


def looked_at(path: Path, plan: str = "auto", **more):
    return split_document(path, make_request(Settings()), CLASSES, read_plan(plan), **more)


# ---- plans -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["auto", "never", "every:3", "pages:1-3,4-9", "pages:2,5-6,8-"])
def test_a_plan_reads_back_what_it_says(text):
    assert str(read_plan(text)) == text and read_plan(str(read_plan(f" {text} "))) == read_plan(text)


@pytest.mark.parametrize(
    "text",
    ["", "always", "every", "every:", "every:0", "every:-2", "every:x", "every:1000001", "every:٣", "pages:", "pages:0-2", "pages:3-1",
     "pages:1-3,3-5", "pages:4-6,1-3", "pages:1-,5", "pages:1,,2", "pages:a-b", "auto:2", "never:1", "pages:1-2-3"],
)  # fmt: skip
def test_a_plan_that_makes_no_sense_says_the_way_out(text):
    with pytest.raises(errors.UsageError) as caught:
        read_plan(text)
    assert caught.value.hint


def test_plans_cut_where_they_are_told_to():
    assert pages_of(cut_as_asked(range(1, 8), read_plan("every:3"))) == [(1, 2, 3), (4, 5, 6), (7,)]
    assert pages_of(cut_as_asked(range(1, 8), read_plan("never"))) == [(1, 2, 3, 4, 5, 6, 7)]
    left_out = cut_as_asked(range(1, 8), read_plan("pages:1-2,4,6-"))
    assert (pages_of(left_out), left_out.between) == ([(1, 2), (4,), (6, 7)], (3, 5))
    assert [(part.number, part.of, part.signs[0].sort) for part in left_out.parts] == [(1, 3, "asked"), (2, 3, "asked"), (3, 3, "asked")]
    assert cut_as_asked([], read_plan("every:2")).parts == ()


@pytest.mark.parametrize("text", ["pages:1-9", "pages:9", "pages:8-"])
def test_a_plan_that_names_pages_beyond_the_end(text):
    with pytest.raises(errors.UsageError, match="there is no page"):
        cut_as_asked(range(1, 8), read_plan(text))


def test_cut_keeps_to_a_plan_whatever_the_pages_show():
    assert pages_of(cut(packet(bill(1), bill(2)), read_plan("never"))) == [(1, 2)]


# ---- printed page numbers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "number", "total"),
    [("Page 2 of 3", 2, 3), ("Seite 1/4", 1, 4), ("Página 2 de 5", 2, 5), ("Blatt 2 von 2", 2, 2), ("PAGE: 1 OF 1", 1, 1), ("3/3", 3, 3),
     ("Pág. 4", 4, None), ("- 2 -", 2, None), ("Page2of3", 2, 3), ("2 / 5 페이지", 2, 5), ("Blad 1 van 2", 1, 2)],
)  # fmt: skip
def test_printed_page_numbers(text, number, total):
    found = printed_number(lines_of(words_of({100: "Lindenhof", 815: text})), 842)
    assert found is not None and (found.number, found.total) == (number, total) and found.box[1] == 815


@pytest.mark.parametrize("text", ["Page 3 of 2", "Page 0 of 2", "Page 1 of 9999", "12/2024", "Invoice 2", "1.50", "Page"])
def test_what_is_no_page_number(text):
    assert printed_number(lines_of(words_of({100: "Lindenhof", 815: text})), 842) is None


def test_a_page_of_another_document_in_a_sentence_is_no_page_number():
    said = words_of({400: "as was shown on page 7 of our catalogue for the year, which you know"})
    found = printed_number(lines_of(said), 842)
    assert found is None


def test_numbers_that_go_on_and_numbers_that_begin_again():
    def page(number: int, of: int) -> Words:
        return words_of({60: "Hive report", 200: LETTER[1], 815: f"Page {number} of {of}"})

    split = cut(packet([page(1, 3), page(2, 3), page(3, 3)], [page(1, 2), page(2, 2)], [page(1, 1)]), AUTO)
    assert pages_of(split) == [(1, 2, 3), (4, 5), (6,)]
    strongest = split.parts[1].signs[0]
    assert strongest.sort == "page_number" and strongest.page == 4 and strongest.weight > 0


# ---- evidence --------------------------------------------------------------------------------------------------------


def test_every_feature_that_is_told_has_a_weight():
    assert SORTS.keys() | DESCRIPTIONS.keys() <= set(FEATURES)


@pytest.mark.parametrize("seed", range(4))
def test_invoices_made_up_one_behind_the_other(seed):
    """Most boundaries of invoices that share a layout's family are found: this is no document that weights were fitted on."""
    chance = random.Random(1000 + seed)
    documents = [bill(chance.randint(0, 10**6), rows=chance.choice((3, 6, 18)), per_page=10) for _ in range(10)]
    starts = list(np.cumsum([0, *map(len, documents)])[:-1] + 1)
    found = {part.pages[0] for part in cut(packet(*documents), AUTO).parts}
    assert len(found & set(starts)) >= 7 and len(found - set(starts)) <= 2


def test_the_same_packet_is_cut_alike_and_every_page_is_somewhere_once():
    pages = packet(bill(1), bill(2, rows=20, per_page=8), bill(3))
    split = cut(pages, AUTO)
    held = sorted([*split.between, *(number for part in split.parts for number in part.pages)])
    assert held == [one.page.number for one in pages] and cut(iter(pages), AUTO) == split
    assert [part.number for part in split.parts] == list(range(1, split.parts[0].of + 1))
    assert Split.model_validate_json(split.model_dump_json()) == split


def test_signs_are_printed_text_where_it_stands_strongest_first():
    (_, second) = cut(packet([FIRST], [SECOND]), AUTO).parts
    assert [abs(sign.weight) for sign in second.signs] == sorted((abs(sign.weight) for sign in second.signs), reverse=True)
    dated = next(sign for sign in second.signs if sign.box)
    assert dated.text and dated.page == 2 and 0.5 <= second.score <= 1


def test_one_page_is_one_document():
    (only,) = cut(packet(bill(1)), AUTO).parts
    assert (only.pages, only.score, only.of) == ((1,), 1.0, 1)
    assert cut([], AUTO) == Split(parts=())


def test_a_packet_of_nothing_but_blank_pages_is_one_document():
    assert pages_of(cut([blank(number) for number in (1, 2, 3)], AUTO)) == [(1, 2, 3)]


def test_a_blank_back_belongs_to_its_page_and_more_are_a_sheet_between():
    one = cut([sheet(FIRST, 1), blank(2), sheet(SECOND, 3), blank(4)], AUTO)
    assert (pages_of(one), one.between) == ([(1, 2), (3, 4)], ())
    more = cut([blank(1), sheet(FIRST, 2), blank(3), blank(4), sheet(SECOND, 5)], AUTO)
    assert (pages_of(more), more.between) == ([(2, 3), (5,)], (1, 4))


def test_a_page_that_failed_stays_with_the_document_before():
    split = cut([sheet(FIRST, 1), sheet(words_of({}), 2, status="failed"), sheet(SECOND, 3)], AUTO)
    assert pages_of(split) == [(1, 2), (3,)]
    leading = cut([sheet(words_of({}), 1, status="failed"), sheet(FIRST, 2)], AUTO)
    assert sorted(number for pages in pages_of(leading) for number in pages) == [1, 2]


def test_conditions_go_with_the_document_before_and_a_cover_with_the_one_after():
    terms = words_of({60: "General terms and conditions", **{100 + 14.0 * row: LETTER[1] for row in range(40)}})
    cover = words_of({60: "Fax cover sheet", 100: "To: Nordlicht", 140: "Pages: 2"})
    split = cut([sheet(FIRST, 1), sheet(terms, 2, kind="terms"), sheet(cover, 3, kind="cover"), sheet(SECOND, 4)], AUTO)
    assert pages_of(split) == [(1, 2), (3, 4)]


def test_page_numbers_that_lie_do_not_stop_it():
    liar = [words_of({60: "Hive report", 200: LETTER[1], 815: text}) for text in ("Page 3 of 2", "Page 0 of 0", "Page 99999 of 1")]
    split = cut(packet(liar), AUTO)
    assert sorted(number for pages in pages_of(split) for number in pages) == [1, 2, 3]


def test_two_thousand_tiny_pages_are_gone_through_once_and_little_is_kept():
    def many():
        for number in range(1, 2001):
            yield sheet(words_of({60: f"Slip {number}", 100: "Thank you"}), number, judged=False)

    split = cut(many(), AUTO)
    assert sum(len(part.pages) for part in split.parts) + len(split.between) == 2000
    long = traits_of(sheet(words_of({60 + row / 10: f"Row {10**6 + row} of many words" for row in range(3000)}), 1))
    assert len(long.numbers or {}) <= 80 and len(long.words) <= 500 and len(long.values) + sum(map(len, long.head.values())) <= 150


@pytest.mark.parametrize("texts", [["1" * 50_000], ["Page", "1"] * 4000, ["\0", " ", ""], ["-", "1", "-"] * 2000, ["٣٣٣٣٣", "²²²²²"]])
def test_pages_of_nonsense_are_cut_all_the_same(texts):
    words = tuple(Word(text, 10, 10, 50, 20, 1.0, place // 8) for place, text in enumerate(texts))
    pages = [sheet(Words(page=1, width=600, height=800, source="ocr", words=words), number) for number in (1, 2)]
    assert sum(len(part.pages) for part in cut(pages, AUTO).parts) == 2


# ---- separators ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["QRCode", "Code128", "Code39"])
@pytest.mark.parametrize("turned", [0, 90, 180])
def test_codes_are_read_turned_any_way_and_their_boxes_are_points(kind, turned):
    drawn = Image.new("L", (1240, 1754), 255)
    drawn.paste(barcode("PATCHT", getattr(zxingcpp.BarcodeFormat, kind)), (300, 500))
    (code,) = codes_of(drawn.rotate(turned, expand=True), dpi=150)
    assert code.text == "PATCHT" and code.box[0] < code.box[2] and 0 < code.box[1] < 842
    if not turned:
        assert code.box[0] == pytest.approx(300 * 72 / 150, abs=30)


def test_a_page_full_of_words_is_not_drawn_for_codes():
    full = words_of({float(y): LETTER[1] for y in range(60, 800, 12)})
    few = words_of({60: "Separator"})
    assert wants_codes(Page(number=1, width=595, height=842), few)
    assert not wants_codes(Page(number=1, width=595, height=842), full)
    assert not wants_codes(Page(number=1, width=595, height=842, status="blank"), few)


def test_a_code_divides_where_it_says_so():
    said = Code(text="patcht", kind="QR Code", box=(10, 10, 60, 60))
    divider = sheet(words_of({60: "Hive"}), 2, codes=(said,))
    split = cut([sheet(FIRST, 1), divider, blank(3), sheet(SECOND, 4)], AUTO)
    assert (pages_of(split), split.between) == ([(1,), (4,)], (2, 3))
    (sign,) = split.parts[1].signs
    assert (sign.sort, sign.text, sign.page, sign.box) == ("code", "patcht", 2, (10, 10, 60, 60))
    other = cut([sheet(FIRST, 1), divider, sheet(SECOND, 3)], AUTO, separators=("NEXT",))
    assert 2 in {number for pages in pages_of(other) for number in pages}, "another code is a page like any"
    assert cut([sheet(FIRST, 1), divider, divider], AUTO).between == (2, 2)


def test_a_sheet_that_calls_itself_a_separator_divides():
    title = sheet(words_of({60: "Trennblatt"}, size=30), 2)
    split = cut([sheet(FIRST, 1), title, sheet(FIRST, 3)], AUTO)
    assert (pages_of(split), split.between) == ([(1,), (3,)], (2,)) and split.parts[1].signs[0].sort == "separator"


# ---- files -----------------------------------------------------------------------------------------------------------


def test_a_file_is_cut_by_a_barcode_page_and_by_what_its_pages_show(tmp_path):
    with pymupdf.open(three_bills(tmp_path / "bills.pdf")) as bills, pymupdf.open(pdf(tmp_path / "qr.pdf", barcode("PATCHT"))) as divider:
        bills.insert_pdf(divider, start_at=1)
        bills.save(tmp_path / "pile.pdf")
    found = looked_at(tmp_path / "pile.pdf")
    assert [part.pages for part in found.parts] == [(1,), (3,), (4,)] and found.between == (2,)
    assert [verdict.choice for verdict in found.verdicts] == ["invoice"] * 3 and found.document.name == "pile.pdf"


def test_rotated_pages_are_cut_as_upright_ones(tmp_path):
    path = three_bills(tmp_path / "bills.pdf")
    with pymupdf.open(path) as document:
        for page, turn in zip(document, (90, 180, 270), strict=True):
            page.set_rotation(turn)
        document.save(tmp_path / "turned.pdf")
    assert [part.pages for part in looked_at(tmp_path / "turned.pdf").parts] == [(1,), (2,), (3,)]


@pytest.fixture
def run(capsysbinary):
    def run(*arguments: object) -> tuple[int, str, str]:
        code = main(["split", *(os.fspath(one) if isinstance(one, Path) else str(one) for one in arguments)])
        out, err = capsysbinary.readouterr()
        return code, out.decode(), err.decode()

    return run


def test_the_command_writes_each_document_and_says_why(run, tmp_path):
    path, out = three_bills(tmp_path / "bills.pdf"), tmp_path / "out"
    code, said, err = run(path, "--out", out)
    lines = said.splitlines()
    assert (code, err) == (0, "") and "3 pages, 3 documents (--split auto)" in lines[0] and "invoice" in lines[1]
    assert sum(" -> " in line for line in lines) == 3 and any(line.strip().startswith("+") and " at " in line for line in lines)
    with pymupdf.open(path) as whole:
        for number in (1, 2, 3):
            with pymupdf.open(out / f"bills.{number}.pdf") as part:
                assert part.page_count == 1 and part[0].get_text() == whole[number - 1].get_text()


def test_json_has_parts_with_verdicts_signs_and_files(run, tmp_path):
    code, said, _ = run(three_bills(tmp_path / "bills.pdf"), "--json", "--out", tmp_path / "out", "--split", "pages:1-2")
    found = json.loads(said)
    assert code == 0 and found["plan"] == "pages:1-2" and found["between"] == [3] and len(found["pages"]) == 3
    (part,) = found["parts"]
    assert part["pages"] == [1, 2] and part["verdict"]["choice"] == "invoice" and part["signs"][0]["sort"] == "asked"
    assert Path(part["file"]).exists()


def test_without_a_folder_nothing_is_written(run, tmp_path):
    path = three_bills(tmp_path / "bills.pdf")
    assert run(path)[0] == 0 and [one.name for one in tmp_path.iterdir()] == ["bills.pdf"]


def test_what_is_there_already_is_not_replaced_without_saying_so(run, tmp_path):
    path, out = three_bills(tmp_path / "bills.pdf"), tmp_path / "out"
    out.mkdir()
    (out / "bills.3.pdf").write_text("mine")
    code, _, err = run(path, "--out", out)
    assert code == errors.UsageError.exit_code and "bills.3.pdf: there already" in err
    assert (out / "bills.3.pdf").read_text() == "mine" and not (out / "bills.1.pdf").exists()
    (out / "bills.2.pdf").symlink_to(tmp_path / "elsewhere.pdf")
    code, _, err = run(path, "--out", out, "--replace")
    assert code == errors.UsageError.exit_code and "choose another --out)" in err and not (tmp_path / "elsewhere.pdf").exists()
    (out / "bills.2.pdf").unlink()
    assert run(path, "--out", out, "--replace")[0] == 0 and (out / "bills.3.pdf").read_bytes().startswith(b"%PDF")


def test_what_an_earlier_cut_into_more_left_is_not_mixed_with_the_parts(run, tmp_path):
    path, out = three_bills(tmp_path / "bills.pdf"), tmp_path / "out"
    assert run(path, "--out", out)[0] == 0
    before = {one.name: one.read_bytes() for one in out.iterdir()}
    code, _, err = run(path, "--out", out, "--replace", "--split", "never")
    assert code == errors.UsageError.exit_code and "bills.2.pdf: there already, and no part of this cut" in err
    assert {one.name: one.read_bytes() for one in out.iterdir()} == before and len(before) == 3


@pytest.mark.parametrize("plan", ["pages:2-9", "every:0", "sometimes"])
def test_a_plan_that_fits_no_file(run, plan, tmp_path):
    code, _, err = run(three_bills(tmp_path / "bills.pdf"), "--split", plan, "--out", tmp_path / "out")
    assert code == errors.UsageError.exit_code and "docpipe: error: usage" in err and not (tmp_path / "out").exists()


def test_parts_of_a_locked_file_are_locked(run, tmp_path):
    locked = tmp_path / "locked.pdf"
    with pymupdf.open(three_bills(tmp_path / "bills.pdf")) as document:
        printed = [page.get_text() for page in document]
        document.save(locked, encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="honey", owner_pw="keeper")
    assert run(locked, "--out", tmp_path / "out")[0] == errors.PasswordError.exit_code and not (tmp_path / "out").exists()
    assert run(locked, "--out", tmp_path / "out", "--password", "honey")[0] == 0
    for number in (1, 2, 3):
        with pymupdf.open(tmp_path / "out" / f"locked.{number}.pdf") as part:
            assert part.needs_pass and part.authenticate("honey") and part.page_count == 1
            assert part[0].get_text() == printed[number - 1] != ""


def test_a_part_holds_nothing_of_the_other_documents(run, tmp_path):
    document = pymupdf.open(pdf(tmp_path / "plain.pdf", ("Alpha",), ("Omega secret",)))
    for number, page in enumerate(document):
        box = pymupdf.Widget()
        box.field_name, box.field_type, box.rect = "shared", pymupdf.PDF_WIDGET_TYPE_TEXT, pymupdf.Rect(60, 200, 200, 220)
        box.field_value = "hive one" if number == 0 else "hive two"
        page.add_widget(box)
    document[0].insert_link({"kind": pymupdf.LINK_GOTO, "page": 1, "from": pymupdf.Rect(60, 60, 100, 90), "to": pymupdf.Point(0, 0)})
    document.set_toc([[1, "Alpha", 1], [1, "Omega bookmark", 2]])
    document.embfile_add("omega.txt", b"Omega attachment")
    document.set_metadata({"title": "Omega title"})
    document.save(tmp_path / "pile.pdf")
    assert run(tmp_path / "pile.pdf", "--split", "every:1", "--out", tmp_path / "out")[0] == 0
    with pymupdf.open(tmp_path / "out" / "pile.1.pdf") as part:
        all_of_it = "".join(part.xref_object(xref) + str(part.xref_stream(xref)) for xref in range(1, part.xref_length()))
    assert "hive one" in all_of_it and "Omega" not in all_of_it and "hive two" not in all_of_it


def test_a_part_shows_no_layer_that_its_file_hides(run, tmp_path):
    """An older total on a layer that is switched off would be one more total."""
    with pymupdf.open(three_bills(tmp_path / "bills.pdf")) as document:
        for number, on in enumerate((True, False, False, True)):
            layer = document.add_ocg("state", on=on)
            document[number % 2].insert_text((60, 500 + 20 * number), f"Total {number}", oc=layer)
        document.save(tmp_path / "layers.pdf")
    assert run(tmp_path / "layers.pdf", "--split", "every:2", "--out", tmp_path / "out")[0] == 0
    with pymupdf.open(tmp_path / "layers.pdf") as whole, pymupdf.open(tmp_path / "out" / "layers.1.pdf") as part:
        assert sorted(one["on"] for one in part.get_ocgs().values()) == [False, False, True, True]
        for number in (0, 1):
            assert part[number].get_text() == whole[number].get_text() != ""
            assert part[number].get_pixmap().samples == whole[number].get_pixmap().samples


def test_a_part_that_is_the_whole_file_is_its_copy(run, tmp_path):
    path = three_bills(tmp_path / "bills.pdf")
    run(path, "--split", "never", "--out", tmp_path / "out")
    assert (tmp_path / "out" / "bills.1.pdf").read_bytes() == path.read_bytes()


def test_pages_of_a_tiff_are_copied_without_loss(run, tmp_path):
    pages = [Image.linear_gradient("L").resize((700, 900)).rotate(turn) for turn in (0, 180)]
    pages.append(pages[0].point(lambda value: 255 * (value > 99)).convert("1"))
    pages[0].save(tmp_path / "pile.tiff", save_all=True, append_images=pages[1:], compression="tiff_lzw", dpi=(150, 150))
    assert run(tmp_path / "pile.tiff", "--split", "pages:1,2-3", "--out", tmp_path / "out")[0] == 0
    with Image.open(tmp_path / "out" / "pile.2.tiff") as part:
        assert part.n_frames == 2 and part.info["compression"] == "tiff_lzw" and part.info["dpi"] == pytest.approx((150, 150))
        for place in (0, 1):
            part.seek(place)
            assert part.mode == pages[1 + place].mode and np.array_equal(np.array(part), np.array(pages[1 + place]))


def test_a_file_that_changed_since_it_was_looked_at_is_not_cut(tmp_path):
    path = three_bills(tmp_path / "bills.pdf")
    found = looked_at(path)
    pdf(path, ("Another",), ("file",), ("altogether",))
    with pytest.raises(errors.MismatchError):
        write_parts(path, found, tmp_path / "out", make_request(Settings()))


def test_a_damaged_file_and_a_missing_one(run, tmp_path):
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing")
    assert run(tmp_path / "broken.pdf", "--out", tmp_path)[0] == errors.DamagedError.exit_code
    assert run(tmp_path / "none.pdf", "--out", tmp_path)[0] == errors.NotFoundError.exit_code
