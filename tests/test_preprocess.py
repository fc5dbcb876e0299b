"""PDF pages: words, trust, rulings, boxes, form fields, attachments; and what they leave in the workspace."""

import subprocess
import sys

import cv2
import numpy as np
import pymupdf
import pytest
from drawn import LIMITS, image, jpeg, layer, leaning, make_job, only_page, pages_of, printed, scan_pdf, text_pdf, texts, write_lines

from docpipe.errors import EmptyError, MismatchError, NotFoundError, TooLargeError, UnsupportedError, UsageError
from docpipe.limits import Limits
from docpipe.preprocess import identify, preprocess, render
from docpipe.workspace import Workspace

CII = b'<?xml version="1.0"?><rsm:CrossIndustryInvoice xmlns:rsm="urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100"/>'
UBL = b'\xef\xbb\xbf<!-- made --><Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Invoice-2"></Invoice>'


def save(document: pymupdf.Document, path):
    document.save(path)
    return path


# ---- the text layer ---------------------------------------------------------------------------------------------------


def test_a_text_pdf_gives_its_words_and_no_image(tmp_path):
    space, pages = pages_of(text_pdf(tmp_path / "a.pdf", pages=3))
    assert [page.number for page in pages] == [1, 2, 3]
    assert all(page.text_layer == "trusted" and page.image is None and page.status == "done" for page in pages)
    words = layer(space, 2)
    assert (words.page, words.source, words.width) == (2, "text_layer", pytest.approx(595, abs=1))
    assert [word.text for word in words.words[:3]] == ["The", "total", "amount"]
    first = words.words[0]
    assert first.x0 == pytest.approx(50, abs=1) and first.y0 < 60 < first.y1
    assert words.words[0].line == words.words[1].line != words.words[-1].line


def test_the_job_comes_back_with_its_document(tmp_path):
    path = text_pdf(tmp_path / "misnamed.jpg", pages=2)
    job, _ = preprocess(make_job(path), space=Workspace(tmp_path / "w"), limits=LIMITS)
    assert (job.document.name, job.document.media_type, job.document.pages) == ("misnamed.jpg", "application/pdf", 2)


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_words_of_a_turned_page_are_upright(tmp_path, turn):
    document = pymupdf.open(text_pdf(tmp_path / "plain.pdf"))
    plain_space, plain = only_page(tmp_path / "plain.pdf")
    page = document[0]
    turned = pymupdf.open()
    target = turned.new_page(width=page.rect.height, height=page.rect.width) if turn % 180 else turned.new_page()
    target.show_pdf_page(target.rect, document, 0, rotate=turn)
    target.set_rotation(turn)
    space, found = only_page(save(turned, tmp_path / "turned.pdf"))
    assert (found.rotation, found.width, found.height) == (turn, plain.width, plain.height)
    for one, two in zip(layer(plain_space).words[:50], layer(space).words[:50], strict=True):
        assert one.text == two.text
        assert one[1:5] == pytest.approx(two[1:5], abs=1.5)


def test_text_drawn_sideways_is_set_upright(tmp_path):
    document = pymupdf.open()
    page = document.new_page(width=842, height=595)
    for column in range(25):
        page.insert_text((60 + 20 * column, 560), "Gross amount due including every tax", rotate=90)
    space, found = only_page(save(document, tmp_path / "sideways.pdf"))
    assert (found.rotation, found.width, found.height) == (90, 595, 842)
    word = layer(space).words[0]
    assert word.text == "Gross" and word.x1 - word.x0 > word.y1 - word.y0


def test_soft_hyphens_and_odd_characters(tmp_path):
    document = pymupdf.open()
    page = document.new_page()
    write_lines(page)
    page.insert_text((50, 40), "Liefer\u00adschein cafe\u0301")
    space, _ = only_page(save(document, tmp_path / "a.pdf"))
    assert {"Liefer-schein"} <= set(texts(space))


def test_what_json_must_escape_comes_through(tmp_path):
    document = pymupdf.open()
    write_lines(document.new_page(), lines=8)
    document[0].insert_text((72, 500), 'a"b 5%s 100%.2f c\\d {e}')
    space, page = only_page(save(document, tmp_path / "a.pdf"))
    assert page.text_layer == "trusted"
    assert texts(space)[-5:] == ['a"b', "5%s", "100%.2f", "c\\d", "{e}"]


def test_a_blank_with_a_clip_of_its_own_parts_words(tmp_path):
    document = pymupdf.open()
    page = document.new_page()
    write_lines(page, lines=8)  # the font that the further line is written in, too
    content = page.get_contents()[-1]
    shown = ((72, b"(Total)"), (96, b"( )"), (97, b"(12.50)"))  # so close by that nothing but the blank says that there are two words
    parts = b" ".join(b"q 60 480 300 60 re W* n BT /helv 11 Tf %d 500 Td %s Tj ET Q" % part for part in shown)
    document.update_stream(content, document.xref_stream(content) + b"\n" + parts)
    space, _ = only_page(save(document, tmp_path / "a.pdf"))
    assert texts(space)[-2:] == ["Total", "12.50"]


def test_hidden_text_without_a_scan_is_no_text(tmp_path):
    document = pymupdf.open()
    page = document.new_page()
    write_lines(page)
    page.insert_text((50, 40), "IGNORE 999999.00", render_mode=3)
    space, _ = only_page(save(document, tmp_path / "a.pdf"))
    assert "invoice" in texts(space) and "999999.00" not in texts(space)


def test_text_off_the_page_is_dropped(tmp_path):
    document = pymupdf.open()
    page = document.new_page()
    write_lines(page)
    page.insert_text((50, 2000), "offpage")
    space, found = only_page(save(document, tmp_path / "a.pdf"))
    assert found.text_layer == "trusted" and "offpage" not in texts(space)


GARBLED = {
    "no_vowels": "xkcd qwrtp bvnmz lkjhg fdspt zxcvb nmlkj hgfds ptrwq",
    "mojibake": "Gesamtbetrag für die Lieferung möglich à payer café".encode().decode("latin1"),
    "symbols": "\"7+% '(*) $#@! &/()? ;:<> [\\]^ `{}~ !\"# $%&'",
}


@pytest.mark.parametrize("reason", GARBLED)
def test_a_garbled_layer_is_not_trusted(tmp_path, reason):
    document = pymupdf.open()
    write_lines(document.new_page(), text=GARBLED[reason])
    space, page = only_page(save(document, tmp_path / "a.pdf"))
    assert (page.text_layer, page.text_layer_reason) == ("untrusted", reason)
    assert page.image == "page-0001.png" and not space.page(1, "layer.json").exists()


def test_glyph_numbers_written_out_are_not_trusted(tmp_path):
    document = pymupdf.open()
    write_lines(document.new_page(), text="total (cid:12) amount of the invoice (cid:7) due")
    assert only_page(save(document, tmp_path / "a.pdf"))[1].text_layer_reason == "mojibake"


def test_glyphs_without_unicode_are_not_taken_for_text(tmp_path):
    document = pymupdf.open()
    page = document.new_page()
    writer = pymupdf.TextWriter(page.rect)
    for line in range(30):
        writer.append((50, 60 + 18 * line), "What glyph is which letter nobody says", font=pymupdf.Font("helv"))
    writer.write_text(page)
    for font in document.get_page_fonts(0):
        document.xref_set_key(font[0], "ToUnicode", "null")
    _, found = only_page(save(document, tmp_path / "a.pdf"))
    assert (found.text_layer, found.text_layer_reason) == ("untrusted", "unmapped_characters")


def test_codes_and_numbers_alone_are_trusted(tmp_path):
    document = pymupdf.open()
    write_lines(document.new_page(), text="PN-4711 XR77K 1.234,56 EUR 99.95 KRW BGN CZK ........")
    assert only_page(save(document, tmp_path / "a.pdf"))[1].text_layer == "trusted"


# ---- scans ------------------------------------------------------------------------------------------------------------


def test_a_scanned_page_is_decoded_not_drawn(tmp_path):
    pixels = printed(dpi=170)
    space, page = only_page(scan_pdf(tmp_path / "scan.pdf", pixels, dpi=170))
    assert (page.text_layer, page.image, page.dpi) == ("none", "page-0001.jpg", pytest.approx(170))
    assert image(space, page).shape == pixels.shape
    assert page.width == pytest.approx(595, abs=0.5) and page.height == pytest.approx(842, abs=0.5)


def test_a_turned_scan_is_upright(tmp_path):
    path = scan_pdf(tmp_path / "scan.pdf", np.rot90(printed()).copy())
    document = pymupdf.open(path)
    document[0].set_rotation(90)
    space, page = only_page(save(document, tmp_path / "turned.pdf"))
    assert page.rotation == 90
    assert np.corrcoef(image(space, page).ravel(), printed().ravel())[0, 1] > 0.95


def test_a_stamp_on_a_scan_is_drawn_with_it(tmp_path):
    document = pymupdf.open(scan_pdf(tmp_path / "scan.pdf", printed()))
    document[0].draw_rect((400, 780, 560, 830), fill=(0, 0, 0))
    space, page = only_page(save(document, tmp_path / "stamped.pdf"))
    assert page.dpi == 200
    assert image(space, page)[int(800 * 200 / 72), int(480 * 200 / 72)].max() < 50


def test_a_scan_with_a_page_number_is_read_as_a_scan(tmp_path):
    document = pymupdf.open(scan_pdf(tmp_path / "scan.pdf", printed()))
    document[0].insert_text((50, 30), "Page 1 of 1")
    _, page = only_page(save(document, tmp_path / "numbered.pdf"))
    assert (page.text_layer, page.text_layer_reason) == ("untrusted", "scan_with_little_text") and page.image


def ocr_layer(tmp_path, text, **options):
    document = pymupdf.open(scan_pdf(tmp_path / "scan.pdf", printed()))
    write_lines(document[0], text=text, **options)
    return save(document, tmp_path / "layered.pdf")


def test_a_good_ocr_layer_is_used_with_less_confidence(tmp_path):
    space, page = only_page(ocr_layer(tmp_path, "the total amount of this invoice is to be paid", render_mode=3))
    assert (page.text_layer, page.text_layer_reason, page.image) == ("trusted", "ocr_layer", None)
    assert {word.confidence for word in layer(space).words} == {0.9}


def test_a_bad_ocr_layer_is_not_used(tmp_path):
    _, page = only_page(ocr_layer(tmp_path, "~ | tbtal ; : ' ^ inv- , . \" ~ `", render_mode=3))
    assert page.text_layer == "untrusted" and page.image


def test_an_ocr_layer_that_the_scan_is_painted_over(tmp_path):
    document = pymupdf.open()
    page = document.new_page()
    write_lines(page)
    page.insert_image(page.rect, stream=jpeg(printed()))
    _, found = only_page(save(document, tmp_path / "a.pdf"))
    assert (found.text_layer, found.text_layer_reason) == ("trusted", "ocr_layer")


def test_pictures_among_text_are_named_and_the_page_stays_as_it_is(tmp_path):
    document = pymupdf.open()
    page = document.new_page()
    write_lines(page, lines=20)
    page.insert_image((50, 450, 550, 800), stream=jpeg(leaning(printed(lines=10)[:500], 3)), keep_proportion=False)
    space, found = only_page(save(document, tmp_path / "a.pdf"))
    assert (found.text_layer, found.skew, found.rotation) == ("partial", 0.0, 0)
    assert found.image_boxes == (pytest.approx((50, 450, 550, 800), abs=0.5),)
    assert found.dpi is not None and image(space, found).shape[1] == pytest.approx(found.width * found.dpi / 72, abs=2)
    assert "invoice" in texts(space)


def test_a_small_logo_needs_no_image(tmp_path):
    document = pymupdf.open()
    write_lines(document.new_page())
    document[0].insert_image((450, 10, 550, 45), stream=jpeg(printed()[:100, :300]), keep_proportion=False)
    assert only_page(save(document, tmp_path / "a.pdf"))[1].image is None


def test_blank_pages_stop_early(tmp_path):
    document = pymupdf.open()
    document.new_page()
    page = document.new_page()
    noise = np.clip(np.random.default_rng(0).normal(244, 4, (1100, 850)), 0, 255).astype(np.uint8)
    page.insert_image(page.rect, stream=jpeg(noise), keep_proportion=False)
    _, pages = pages_of(save(document, tmp_path / "a.pdf"))
    assert [(page.status, page.image) for page in pages] == [("blank", None), ("blank", None)]


# ---- drawings, form fields, attachments -------------------------------------------------------------------------------


def test_rulings_and_ticked_squares(tmp_path):
    document = pymupdf.open()
    page = document.new_page()
    write_lines(page, lines=10)
    page.draw_line((50, 400), (500, 400))
    page.draw_rect((50, 420, 500, 421), fill=(0, 0, 0), color=None)
    page.draw_rect((50, 450, 300, 500))
    page.draw_rect((50, 600, 60, 610))
    page.draw_rect((50, 630, 60, 640))
    page.draw_line((51, 631), (59, 639), width=1.5)
    page.draw_line((59, 631), (51, 639), width=1.5)
    space, _ = only_page(save(document, tmp_path / "a.pdf"))
    found = layer(space)
    assert (50, 400, 500, 400) in [pytest.approx(tuple(ruling), abs=0.6) for ruling in found.rulings]
    assert (50, 420.5, 500, 420.5) in [pytest.approx(tuple(ruling), abs=0.6) for ruling in found.rulings]
    assert (50, 450, 50, 500) in [pytest.approx(tuple(ruling), abs=0.6) for ruling in found.rulings]
    empty, ticked = sorted(found.checkboxes, key=lambda box: box.y0)
    assert empty.ink < 0.05 < 0.15 < ticked.ink


def test_a_matrix_code_is_no_field_of_check_boxes(tmp_path):
    document = pymupdf.open()
    page = document.new_page()
    write_lines(page, lines=5)
    for row in range(20):
        for column in range(20):
            page.draw_rect((100 + 8 * column, 300 + 8 * row, 106 + 8 * column, 306 + 8 * row))
    space, _ = only_page(save(document, tmp_path / "a.pdf"))
    assert layer(space).checkboxes == ()


def form_field(page, kind, rect, name, value):
    widget = pymupdf.Widget()
    widget.field_type, widget.rect, widget.field_name, widget.field_value = kind, pymupdf.Rect(rect), name, value
    page.add_widget(widget)


def test_form_fields(tmp_path):
    document = pymupdf.open()
    page = document.new_page()
    write_lines(page, lines=10)
    form_field(page, pymupdf.PDF_WIDGET_TYPE_TEXT, (100, 400, 300, 420), "name", "Ada Lovelace")
    form_field(page, pymupdf.PDF_WIDGET_TYPE_TEXT, (100, 440, 300, 460), "city", "Saint Malo")
    form_field(page, pymupdf.PDF_WIDGET_TYPE_CHECKBOX, (100, 500, 112, 512), "yes", True)
    form_field(page, pymupdf.PDF_WIDGET_TYPE_CHECKBOX, (100, 520, 112, 532), "no", False)
    # A value that the file does not draw: a viewer would.
    for widget in page.widgets():
        if widget.field_name == "city":
            document.xref_set_key(widget.xref, "AP", "null")
    space, _ = only_page(save(document, tmp_path / "a.pdf"))
    words = layer(space)
    assert {"Ada", "Lovelace", "Saint", "Malo"} <= {word.text for word in words.words}
    malo = next(word for word in words.words if word.text == "Malo")
    assert 100 <= malo.x0 < malo.x1 <= 300 and 430 <= malo.y0 < malo.y1 <= 470
    assert [(round(box.y0), box.ink) for box in words.checkboxes] == [(500, 1.0), (520, 0.0)]
    assert not any(word.x0 < 112 and word.y1 > 495 for word in words.words), "a tick is no word"


def test_radio_buttons_have_a_state_each(tmp_path):
    document = pymupdf.open()
    page = document.new_page()
    write_lines(page, lines=10)
    for row in range(2):
        form_field(page, pymupdf.PDF_WIDGET_TYPE_CHECKBOX, (100, 500 + 20 * row, 112, 512 + 20 * row), f"choice{row}", row == 1)
    radio, choices = 1 << 15, [widget.xref for widget in page.widgets()]
    for xref in choices:
        document.xref_set_key(xref, "Ff", str(radio))
    space, _ = only_page(save(document, tmp_path / "a.pdf"))
    assert [box.ink for box in layer(space).checkboxes] == [0.0, 1.0]


def test_an_einvoice_is_taken_out(tmp_path):
    document = pymupdf.open()
    write_lines(document.new_page())
    document.embfile_add("terms.txt", b"terms")
    document.embfile_add("note.xml", b"<note/>")
    document.embfile_add("anything.xml", CII)
    space, _ = only_page(save(document, tmp_path / "a.pdf"))
    assert space.path("einvoice.xml").read_bytes() == CII


@pytest.mark.parametrize("content", [CII, UBL, CII.decode().encode("utf-16")], ids=["cii", "ubl", "utf16"])
def test_an_einvoice_alone_has_no_pages(tmp_path, content):
    path = tmp_path / "invoice.dat"
    path.write_bytes(content)
    job, pages = preprocess(make_job(path), space=Workspace(tmp_path / "w"), limits=LIMITS)
    assert (job.document.media_type, pages) == ("application/xml", [])
    assert (tmp_path / "w" / "einvoice.xml").read_bytes() == content


def test_other_xml_is_not_supported(tmp_path):
    path = tmp_path / "note.xml"
    path.write_bytes(b"<Invoice><to>nobody</to></Invoice>")
    with pytest.raises(UnsupportedError):
        identify(path)


# ---- the stage --------------------------------------------------------------------------------------------------------


def test_what_a_file_is_is_found_out_before_it_is_opened(tmp_path):
    with pytest.raises(NotFoundError) as problem:
        identify(tmp_path / "none.pdf")
    assert "none.pdf" in str(problem.value)
    with pytest.raises(NotFoundError):
        identify(tmp_path)
    path = tmp_path / "a.pdf"
    path.write_bytes(b"")
    with pytest.raises(EmptyError):
        identify(path)
    text_pdf(path)
    with pytest.raises(TooLargeError):
        identify(path, Limits(file_bytes=100))
    assert identify(path).sha256 == identify(path, Limits()).sha256


def test_a_changed_file_is_noticed(tmp_path):
    job = make_job(text_pdf(tmp_path / "a.pdf"))
    text_pdf(tmp_path / "a.pdf", pages=2)
    with pytest.raises(MismatchError):
        preprocess(job, space=Workspace(tmp_path / "w"), limits=LIMITS)


def test_pages_can_be_chosen(tmp_path):
    path = text_pdf(tmp_path / "a.pdf", pages=4)
    assert [page.number for page in pages_of(path, pages=(4, 2))[1]] == [2, 4]
    with pytest.raises(UsageError):
        pages_of(path, pages=(5,))


def test_a_page_can_be_rendered_later(tmp_path):
    document = pymupdf.open(text_pdf(tmp_path / "plain.pdf"))
    document[0].set_rotation(90)
    path = save(document, tmp_path / "a.pdf")
    space, page = only_page(path)
    assert page.image is None
    shown = render(page, job=make_job(path), space=space, limits=LIMITS, dpi=100)
    assert shown.dpi == 100 and image(space, shown).shape == (int(np.ceil(page.height * 100 / 72)), int(np.ceil(page.width * 100 / 72)))
    assert render(shown, job=make_job(path), space=space, limits=LIMITS) is shown


def test_a_straightened_page_is_rendered_straight_again(tmp_path):
    path = scan_pdf(tmp_path / "scan.pdf", leaning(printed(), 2))
    space, page = only_page(path)
    first = image(space, page)
    again = render(page, job=make_job(path), space=space, limits=LIMITS, dpi=150)
    assert again.image == page.image and abs(page.skew - 2) < 0.1
    assert np.abs(cv2.subtract(image(space, again), first)).mean() < 3


def test_importing_it_is_cheap():
    heavy = "cv2", "pymupdf", "numpy", "PIL"
    code = f"import sys, docpipe.preprocess, docpipe.preprocess.sniff; print([n for n in {heavy} if n in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_a_text_pdf_is_read_without_what_only_pictures_need(tmp_path):
    program = f"""
import sys
from pathlib import Path
from docpipe.limits import Limits
from docpipe.preprocess import identify, preprocess
from docpipe.records import Job, SchemaRef
from docpipe.words import load_ocr, read_words
from docpipe.workspace import Workspace
path, space = Path({str(text_pdf(tmp_path / "a.pdf"))!r}), Workspace(Path({str(tmp_path / "work")!r}))
job = Job(id="test", source=path, document=identify(path), schema_ref=SchemaRef(name="test", sha256=""))
job, [page] = preprocess(job, space=space, limits=Limits())
words = read_words(page, ocr=load_ocr("ppocr"), languages=(), space=space)
print(len(words.words) > 100, [name for name in ("cv2", "numpy", "PIL", "onnxruntime", "pymupdf") if name in sys.modules])
"""
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "True []\n"
