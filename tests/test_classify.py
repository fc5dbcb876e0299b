"""What a page is: by its words, by a recorded model, by a vote; and `docpipe classify`."""

import json
import os
from pathlib import Path

import drawn_invoices
import pymupdf
import pytest
from faces import ROOT
from pydantic import BaseModel, Field
from test_einvoice import CII_2
from test_vlm import recording

import docpipe
from docpipe import errors
from docpipe.backends import ModelOptions, load_backend
from docpipe.classify import (
    UNKNOWN,
    ClassifierOptions,
    DocumentClass,
    PageVerdict,
    classifier_class,
    load_classes,
    vote,
    vote_document,
)
from docpipe.classify._words.sight import prints_sums
from docpipe.classify.vlm import UNSAID, VlmClassifier
from docpipe.classify.words import WordsClassifier
from docpipe.cli import main
from docpipe.records import Word, Words
from docpipe.request import make_request
from docpipe.settings import Settings
from docpipe.sorting import sort_document

pytestmark = pytest.mark.classify
BUILT_IN = load_classes([])
SAMPLES = ROOT / "samples"
HERE = Path(__file__)


class HiveReport(BaseModel):
    """Report of a beekeeper on the state of a hive."""

    hive_number: str | None = Field(None, description="Number of the hive, as painted on its roof")
    beekeeper: str | None = Field(None, description="Who keeps the hive, as printed after 'Beekeeper'")
    queen_seen: bool | None = Field(None, description="Queen seen: true when ticked")
    brood_frames: int | None = Field(None, description="Brood frames, counted")
    mite_count: int | None = Field(None, description="Mite count of the last three days")


HIVE = (
    "Hive report", "Hive number: 12", "Beekeeper: Ada Imker", "Date 03/05/2025", "Queen seen: yes", "Brood frames: 7", "Mite count: 4",
    "Swarming mood: none", "Fed with syrup",
)  # fmt: skip
PROSE = (
    "The river rises in the hills north of the town and runs for some forty miles",
    "through meadows and old woods before it meets the sea. In spring its banks are",
    "covered with wild garlic, and in the autumn the water is brown with fallen leaves.",
    "People have lived here since the bronze age, and their graves are still to be seen.",
)
TERMS = (
    "1. The seller delivers the goods within the time that was agreed and at the place",
    "that was named in writing. 2. The buyer examines the goods on receipt and reports",
    "any defect without delay. 3. The goods remain the property of the seller until the",
    "price is paid. 4. Liability is limited to damage that could be foreseen. 5. The law of",
    "the country in which the seller has its seat applies to all disputes. 6. Should a clause",
    "be void, the others stay in force, and the parties replace it by one that comes nearest.",
)


def page(path: Path, *pages: tuple[str, ...], size: float = 11, first: float = 11) -> Path:
    """One page each, a line below the other; `first` is the size of each page's first line."""
    document = pymupdf.open()
    for lines in pages:
        sheet = document.new_page()
        for number, line in enumerate(lines):
            sheet.insert_text((60, 80 + 22 * number), line, fontsize=size if number else first)
    document.save(path)
    return path


def judged(path: Path, classes=BUILT_IN, **more):
    return sort_document(path, make_request(Settings()), classes, **more)


def mine(*names: str):
    return load_classes([f"{HERE}:HiveReport", *names])


@pytest.mark.parametrize(
    ("name", "choice"),
    [("invoice.pdf", "invoice"), ("rotated.pdf", "invoice"), ("tax_invoice_kr.pdf", "tax_invoice_kr"), ("receipt_photo.jpg", "receipt")],
)
def test_the_samples_are_what_they_are(name, choice):
    found = judged(SAMPLES / name)
    assert (found.verdict.choice, found.document.name) == (choice, name) and found.verdict.score > 0.9
    assert found.verdict.pages == tuple(one.page for one in found.pages)


def test_a_form_of_no_class_is_unknown():
    assert judged(SAMPLES / "form.pdf").verdict.choice == UNKNOWN


@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
@pytest.mark.parametrize("layout", drawn_invoices.LAYOUTS)
def test_an_invoice_in_each_language_and_layout(language, layout, tmp_path):
    drawn = drawn_invoices.save(tmp_path / "paper.pdf", drawn_invoices.honest(language, layout, 3))
    assert judged(drawn).verdict.choice == "invoice"


def test_a_class_without_labels_is_known_by_its_names_and_descriptions(tmp_path):
    paper = page(tmp_path / "hive.pdf", HIVE, first=20)
    found = judged(paper, mine("invoice", "receipt"))
    assert found.verdict.choice == "test_classify.py:HiveReport" and found.verdict.score > 0.8
    assert judged(paper).verdict.choice == UNKNOWN, "without its class it is nothing else"
    assert judged(SAMPLES / "invoice.pdf", mine()).verdict.choice == UNKNOWN, "nor is another document of it"


def test_prose_is_unknown_and_scores_add_up(tmp_path):
    (found,) = judged(page(tmp_path / "river.pdf", PROSE * 4), mine("invoice", "receipt", "tax_invoice_kr")).pages
    assert (found.choice, found.kind) == (UNKNOWN, "content") and found.score > 0.9
    assert sum(found.scores.values()) == pytest.approx(1) and len(found.scores) == 5


def test_a_title_of_another_paper_speaks_against_the_class(tmp_path):
    lines = ("Buyer: Nordlicht", "Date 03/05/2025", "Description   Amount", "Oak board  30.00", "Pine board  20.00", "Total  50.00")
    invoice, note, other = (
        judged(page(tmp_path / f"{title}.pdf", (title, *lines), first=24)).pages[0].scores["invoice"]
        for title in ("Invoice", "Delivery note", "Oakwood")
    )
    assert invoice > other > note


def test_signs_say_which_words_spoke_for_it_and_where_they_stand(tmp_path):
    (found,) = judged(page(tmp_path / "hive.pdf", HIVE, first=20), mine()).pages
    keeper = next(sign for sign in found.signs if sign.meaning == "beekeeper" and sign.sort == "label")
    assert keeper.text == "Beekeeper:" and keeper.weight > 0 and keeper.class_name == found.choice
    assert keeper.box is not None and keeper.box[0] == pytest.approx(60, abs=2) and keeper.box[1] < 124 < keeper.box[3]
    assert [abs(sign.weight) for sign in found.signs] == sorted((abs(sign.weight) for sign in found.signs), reverse=True)


def test_pages_that_need_no_extraction_are_named(tmp_path):
    paper = page(
        tmp_path / "pile.pdf",
        ("Fax cover sheet", "To: Nordlicht", "From: Lindenhof", "Pages: 4"),
        ("General terms and conditions", *TERMS * 3),
        ("Trennblatt",),
        (),
        ("Allgemeine Geschäftsbedingungen", *TERMS * 3),
    )
    found = judged(paper)
    assert [one.kind for one in found.pages] == ["cover", "terms", "separator", "blank", "terms"]
    assert {one.choice for one in found.pages} == {UNKNOWN} == {found.verdict.choice}
    assert found.pages[1].signs[0].text == "General terms and conditions" and found.pages[1].signs[0].box is not None


@pytest.mark.parametrize("line", ["Telefax: 0431/5567", "Fax: 0431/5567", "Fax", "Télécopie : 0431"])
def test_a_letterhead_with_a_fax_number_is_no_cover(line, tmp_path):
    """What is taken for a cover is passed over, and goes with the document behind it."""
    letter = ("Nordbau GmbH", "24103 Kiel", line, "Credit note GS-7781", "For invoice RE-2024-0815 we credit", "400 euros to you.")
    paper = page(tmp_path / "pile.pdf", letter, ("FAX", "To: Nordlicht", "From: Lindenhof", "Pages: 4"), first=20)
    assert [one.kind for one in judged(paper).pages] == ["content", "cover"]


@pytest.mark.parametrize("last", ["₩1,100,000", "1,100,000원", "15,000", "$1,100", "USD 1100", "1.100 EUR", "1100 €", "1.100,-", "¥ 1,100"])
def test_a_sum_without_decimals_is_one(last):
    words = [Word(text, 0, 0, 1, 1, line=line) for line, said in enumerate(("Cover sheet", f"Total {last}")) for text in said.split()]
    assert prints_sums(words)


@pytest.mark.parametrize(
    "line",
    ["Total 1,100.00 incl. VAT", "Total amount due: EUR 1,100.00 by 30 June", "Gesamtbetrag 1.100,00 €*", "Net à payer 110,00 € TTC",
     "Total 1,100.00 GBP.", "합계 1,100,000원 (부가세 포함)", "£ 1,100.00 in total"],
)  # fmt: skip
def test_a_sum_behind_its_label_is_one_whatever_follows_it(line):
    assert prints_sums([Word(text, 0, 0, 1, 1) for text in line.split()])


def test_a_second_total_on_a_page_of_conditions_is_no_secret(tmp_path):
    """A total that is passed over is a rival that nobody sees."""
    with pymupdf.open(SAMPLES / "invoice.pdf") as bill:
        more = ("General terms and conditions", *TERMS * 3, "Rechnungsbetrag 1.250,00 EUR, zu zahlen bis 30.06.2025")
        with pymupdf.open(page(tmp_path / "conditions.pdf", more)) as small_print:
            bill.insert_pdf(small_print)
        bill.save(tmp_path / "bill.pdf")
    found = docpipe.run(tmp_path / "bill.pdf", "auto")
    assert [one.kind for one in found.pages] == ["content"] * 3 and found.status == "review"


@pytest.mark.parametrize(
    "last",
    ["Pages: 4", "ISO 9001", "§ 433 BGB", "24103 Kiel", "section 3.100", "of 12 EUR.", "5 EUR each", "of 5.00 EUR for each reminder",
     "A reminder that is sent costs 5.00 EUR each"],
)  # fmt: skip
def test_other_numbers_at_the_end_of_a_line_are_no_sums(last):
    assert not prints_sums([Word(text, 0, 0, 1, 1) for text in last.split()])


def test_an_invoice_that_speaks_of_its_terms_is_an_invoice(tmp_path):
    bill = drawn_invoices.honest("en", "columns", 5)
    drawn = drawn_invoices.save(tmp_path / "paper.pdf", bill.__class__(**{**vars(bill), "notes": ("Terms and conditions",)}))
    assert [one.kind for one in judged(drawn).pages] == ["content"]


# ---- the classes -----------------------------------------------------------------------------------------------------


def test_the_built_in_classes_are_the_schemas_of_a_certain_document():
    assert [one.name for one in BUILT_IN] == ["invoice", "receipt", "tax_invoice_kr"]


def test_a_class_may_be_a_name_and_a_description(tmp_path):
    classes = load_classes(["invoice", "hive=Hive report of a beekeeper, with its brood frames, mite count and queen seen"])
    assert classes[1] == DocumentClass("hive", "Hive report of a beekeeper, with its brood frames, mite count and queen seen")
    assert judged(page(tmp_path / "hive.pdf", HIVE, first=20), classes).verdict.choice == "hive"


@pytest.mark.parametrize("wrong", [["invoice", "invoice"], ["unknown=what nobody knows"], ["cover=x"], ["=x"], ["x="], ["nonsense"]])
def test_classes_that_make_no_sense(wrong):
    with pytest.raises(errors.UsageError):
        load_classes(wrong)


# ---- votes -----------------------------------------------------------------------------------------------------------


PLAIN_ROWS = {
    "en": ("Date 03/05/2025", "Customer: Ada Imker", "Oak boards   120.00", "Delivery   15.50", "Total   135.50"),
    "de": ("Datum 03.05.2025", "Kunde: Ada Imker", "Eichenbretter   120,00", "Lieferung   15,50", "Gesamtbetrag   135,50"),
    "it": ("Data 03/05/2025", "Cliente: Ada Imker", "Assi di quercia   120,00", "Consegna   15,50", "Totale   135,50"),
}


@pytest.mark.parametrize(
    ("language", "title", "want"),
    [
        ("en", "Invoice 2071", "invoice"), ("en", "INVOICE", "invoice"), ("de", "Rechnung Nr. 2071", "invoice"),
        ("it", "Fattura N. 71", "invoice"), ("en", "Quotation", UNKNOWN), ("en", "Credit note", UNKNOWN),
        ("en", "Time sheet", UNKNOWN), ("de", "Mahnung", UNKNOWN),
        ("it", "Preventivo", UNKNOWN), ("en", "Oak & Sons", UNKNOWN),
    ],
)  # fmt: skip
def test_a_title_makes_a_plain_paper_what_it_says(language, title, want, tmp_path):
    path = page(tmp_path / "plain.pdf", (title, "Oak & Sons", "12 Mill Lane", *PLAIN_ROWS[language]), size=10, first=22)
    with pymupdf.open(path) as document:
        document[0].insert_text((430, 124), "Phone 555 0142 77", fontsize=10)  # a page wide, unlike what a till prints
        document.saveIncr()
    found = judged(path)
    assert found.verdict.choice == want
    assert want == UNKNOWN or any(sign.sort == "title" for sign in found.pages[0].signs)


def verdict(number: int = 1, by: str = "a", **scores: float) -> PageVerdict:
    best = max(scores, key=lambda name: scores[name])
    return PageVerdict(page=number, choice=best, score=scores[best], scores=scores, classifier=by)


def test_several_vote_with_their_probabilities():
    both = vote([verdict(by="a", invoice=0.9, unknown=0.1), verdict(by="b", receipt=0.7, invoice=0.2, unknown=0.1)])
    assert (both.choice, both.classifier) == ("invoice", "a+b") and both.score == pytest.approx(0.55)
    assert vote([verdict(invoice=0.6, unknown=0.4)], threshold=0.8).choice == UNKNOWN
    failed = PageVerdict(page=1, choice=UNKNOWN, score=0.0, error="engine: gone", classifier="b")
    alone = vote([failed, verdict(invoice=0.9, unknown=0.1)])
    assert (alone.choice, alone.failed) == ("invoice", ("b: engine: gone",)), "one that failed has no vote, and is named"
    assert vote([failed]).error == "engine: gone"


def test_two_kinds_of_page_are_settled_by_the_majority_and_a_tie_is_content():
    cover = PageVerdict(page=1, choice=UNKNOWN, score=1.0, kind="cover", classifier="b")
    assert vote([verdict(invoice=0.9, unknown=0.1), cover]).choice == "invoice"
    assert vote([verdict(invoice=0.9, unknown=0.1), cover, cover]).kind == "cover"


def test_a_document_is_what_its_first_known_page_is():
    unknown, invoice, receipt = ({"unknown": 0.9, "invoice": 0.1}, {"invoice": 0.9, "unknown": 0.1}, {"receipt": 0.9, "unknown": 0.1})
    found = vote_document([verdict(1, **unknown), verdict(2, **invoice), verdict(3, **unknown), verdict(4, **invoice)])
    assert (found.choice, found.pages, found.others) == ("invoice", (2, 4), ()) and found.score == pytest.approx(0.9)
    mixed = vote_document([verdict(1, **invoice), verdict(2, **invoice), verdict(3, **receipt)])
    assert (mixed.choice, mixed.others) == ("invoice", ("receipt",)) and mixed.score == pytest.approx(0.6)
    assert vote_document([verdict(1, **invoice), verdict(2, **receipt)]).choice == UNKNOWN, "as much the one as the other"
    assert vote_document([verdict(1, **invoice)], threshold=0.95).choice == UNKNOWN
    assert vote_document([PageVerdict(page=1, choice=UNKNOWN, score=1.0, kind="blank")]).score == 1.0


# ---- a model ---------------------------------------------------------------------------------------------------------


def asked(folder: Path, *answers: dict, paper: Path | None = None, **more):
    settings = Settings(backend="replay", model=ModelOptions(model=str(recording(folder, *answers, **more))))
    paper = paper or page(folder / "hive.pdf", HIVE)
    return sort_document(paper, make_request(settings), mine("invoice"), classifiers=("vlm",))


def test_a_model_names_one_of_the_classes_and_how_sure_it_is(tmp_path):
    name = "test_classify.py:HiveReport"
    said = json.dumps({"class": name}, separators=(",", ":"))
    (found,) = asked(tmp_path, {"contains": [name, "beekeeper", "terms and conditions"], "text": said, "probability": 0.99}).pages
    assert (found.choice, found.classifier) == (name, "vlm")
    assert (found.usage.calls, found.usage.prompt_tokens) == (1, 100)
    assert found.score == pytest.approx(0.99 ** len(said)) and sum(found.scores.values()) == pytest.approx(1)
    (found,) = asked(tmp_path, {"text": f"Here: {said}"}).pages
    assert (found.choice, found.score) == (name, UNSAID)


def test_a_model_may_say_unknown_or_a_kind_of_page_and_is_not_asked_about_a_blank_one(tmp_path):
    paper = page(tmp_path / "two.pdf", HIVE, (), HIVE)
    found = asked(tmp_path, {"text": '{"class":"unknown"}', "times": 1}, {"text": '{"class":"cover"}', "times": 1}, paper=paper)
    assert [(one.choice, one.kind) for one in found.pages] == [(UNKNOWN, "content"), (UNKNOWN, "blank"), (UNKNOWN, "cover")]


@pytest.mark.parametrize("text", ['{"class":"letter"}', "an invoice", '{"class":["invoice"]}', "{}", "{broken}"])
def test_an_answer_that_is_no_class_is_an_error_of_the_page(text, tmp_path):
    found = asked(tmp_path, {"text": text})
    assert found.pages[0].error is not None and found.pages[0].error.startswith("engine: ") and found.verdict.score == 0


def test_a_model_that_cannot_sort(tmp_path):
    with pytest.raises(errors.UsageError, match="describes"):
        asked(tmp_path, {"text": "x"}, ability={"grade": "caption"})
    with pytest.raises(errors.UsageError, match="backend"):
        VlmClassifier(ClassifierOptions())


def test_words_and_a_model_vote(tmp_path):
    settings = Settings(backend="replay", model=ModelOptions(model=str(recording(tmp_path, {"text": '{"class":"invoice"}'}))))
    found = sort_document(SAMPLES / "rotated.pdf", make_request(settings), BUILT_IN, classifiers=("words", "vlm"))
    assert (found.verdict.choice, found.pages[0].classifier) == ("invoice", "words+vlm")
    assert found.pages[0].score == pytest.approx((UNSAID + 1) / 2, abs=0.02) and found.pages[0].signs


def test_the_bare_names_of_classifiers():
    assert classifier_class("words") is WordsClassifier and classifier_class("vlm") is VlmClassifier
    with pytest.raises(errors.UsageError) as caught:
        classifier_class("clap")
    assert "one of: align, blip, clip, oscar, siglip2, vlm, words;" in caught.value.hint


def test_a_page_without_words_is_unknown():
    found = WordsClassifier().judge(Words(page=1, width=100, height=100, source="none"), None, BUILT_IN)
    assert (found.choice, found.kind) == (UNKNOWN, "content")


@pytest.mark.parametrize(
    "texts", [["1" * 100_000], ["A" * 100_000], ["", "\0", " "], ["DE1", *["23"] * 5000], ["Invoice", "No.", "1.50"] * 3000]
)
def test_a_page_of_nonsense_is_judged_all_the_same(texts):
    words = tuple(Word(text, 10, 10, 50, 20, 1.0, place // 8) for place, text in enumerate(texts))
    found = WordsClassifier().judge(Words(page=1, width=600, height=800, source="ocr", words=words), None, BUILT_IN)
    assert found.choice == UNKNOWN and sum(found.scores.values()) == pytest.approx(1)


def test_the_backend_of_a_classifier_is_handed_to_it(tmp_path):
    backend = load_backend("replay", ModelOptions(model=str(recording(tmp_path, {"text": "x"}))))
    assert VlmClassifier(ClassifierOptions(backend=backend)).backend is backend


# ---- the command -----------------------------------------------------------------------------------------------------


@pytest.fixture
def run(capsysbinary):
    def run(*arguments: object) -> tuple[int, str, str]:
        code = main(["classify", *(os.fspath(one) if isinstance(one, Path) else str(one) for one in arguments)])
        out, err = capsysbinary.readouterr()
        return code, out.decode(), err.decode()

    return run


def test_a_line_for_the_document_each_page_and_the_strongest_signs(run):
    code, out, err = run(SAMPLES / "rotated.pdf")
    lines = out.splitlines()
    assert (code, err) == (0, "") and lines[0].endswith("rotated.pdf: invoice 1.00") and lines[1] == "  page 1: invoice 1.00"
    assert len(lines) == 6 and all(" at " in line and "invoice" in line for line in lines[2:])


def test_json_is_an_object_and_for_several_files_a_line_each(run, tmp_path):
    code, out, _ = run(SAMPLES / "rotated.pdf", "--json")
    found = json.loads(out)
    assert code == 0 and found["verdict"]["choice"] == found["pages"][0]["choice"] == "invoice" and found["pages"][0]["signs"][0]["weight"]
    code, out, err = run(SAMPLES / "rotated.pdf", tmp_path / "none.pdf", page(tmp_path / "hive.pdf", HIVE), "--json")
    first, second = map(json.loads, out.splitlines())
    assert (first["verdict"], first["file"]) == (found["verdict"], str(SAMPLES / "rotated.pdf")) and second["verdict"]["choice"] == UNKNOWN
    assert code == errors.NotFoundError.exit_code and "none.pdf" in err


def test_the_classes_of_a_call(run, tmp_path):
    paper = page(tmp_path / "hive.pdf", HIVE, first=20)
    assert "HiveReport" in run(paper, "--classes", f"invoice,{HERE}:HiveReport")[1].splitlines()[0]
    assert ": hive " in run(paper, "--class", "hive=Hive report of a beekeeper: brood frames, mite count, queen seen")[1].splitlines()[0]
    assert run(paper, "--classes", "nonsense")[0] == errors.SchemaError.exit_code
    assert run(paper, "--threshold", "2")[0] == run(paper, "--classifier", "clip")[0] == errors.UsageError.exit_code
    assert ": unknown" in run(SAMPLES / "fax.tif", "--pages", "2", "--threshold", "0.99")[1].splitlines()[0]


OWN = '''
from docpipe.classify import Classifier, PageVerdict


class Loud(Classifier):
    """Takes every page for the last class."""

    name = "loud"

    def judge(self, words, image, classes):
        return PageVerdict(page=words.page, choice=classes[-1].name, score=1.0, scores={classes[-1].name: 1.0}, classifier=self.name)
'''


def test_a_classifier_is_one_file(run, tmp_path):
    (tmp_path / "loud.py").write_text(OWN)
    out = run(SAMPLES / "rotated.pdf", "--classifier", f"{tmp_path / 'loud.py'}:Loud")[1]
    assert out.splitlines()[0].endswith("rotated.pdf: tax_invoice_kr 1.00")


def test_a_page_without_a_verdict_is_named(run, tmp_path, monkeypatch):
    monkeypatch.setenv("DOCPIPE_BACKEND", "replay")
    monkeypatch.setenv("DOCPIPE_MODEL__MODEL", str(recording(tmp_path, {"fail": "gone"})))
    code, out, err = run(page(tmp_path / "hive.pdf", HIVE), "--classifier", "vlm")
    assert code == errors.EngineError.exit_code and "failed: engine: gone" in out and "1 of 1 pages have no verdict" in err
    monkeypatch.setenv("DOCPIPE_MODEL__MODEL", str(recording(tmp_path, {"busy": 1})))
    assert run(page(tmp_path / "hive.pdf", HIVE), "--classifier", "vlm")[0] == errors.BusyError.exit_code
    monkeypatch.setenv("DOCPIPE_MODEL__MODEL", str(recording(tmp_path, {"fail": "gone"})))
    code, out, err = run(SAMPLES / "rotated.pdf", "--classifier", "words,vlm")
    assert code == 0 and "invoice 1.00" in out and "rotated.pdf: page 1: without the vote of vlm: engine: gone" in err


# ---- the schema that fits --------------------------------------------------------------------------------------------


def codes(result: docpipe.Result) -> set[str]:
    return {issue.code for issue in result.issues if issue.severity == "error"}


def test_auto_reads_with_the_schema_of_the_class_as_if_it_had_been_named():
    chosen, named = (docpipe.run(SAMPLES / "invoice.pdf", schema) for schema in ("auto", "invoice"))
    assert chosen.status == "accepted" and chosen.model_copy(update={"classified": None}).canonical_json() == named.canonical_json()
    assert chosen.classified is not None and chosen.classified.choice == "invoice" and chosen.classified.score > 0.9
    assert {sign.page for sign in chosen.classified.signs} == {1} and {"preprocess", "words", "classify", "extract"} <= set(chosen.timing)
    assert docpipe.Result.model_validate_json(chosen.to_json()).classified == chosen.classified and "classified" not in named.to_json()


def test_a_document_of_no_class_is_reviewed_and_never_read_with_a_schema_that_does_not_fit(tmp_path):
    for paper in (SAMPLES / "form.pdf", page(tmp_path / "river.pdf", PROSE * 4)):
        found = docpipe.run(paper, "auto")
        assert (found.status, found.schema_ref.name, codes(found)) == ("review", "transcript", {"unknown_document"})
        assert found.classified is not None and found.classified.choice == UNKNOWN
    assert "wild garlic" in found.data.text


def test_auto_chooses_among_the_schemas_that_are_named(tmp_path):
    hive = page(tmp_path / "hive.pdf", HIVE, first=20)
    found = docpipe.run(hive, f"auto:invoice,{HERE}:HiveReport")
    assert found.schema_ref.name == "test_classify.py:HiveReport" and found.data.beekeeper == "Ada Imker"
    assert codes(docpipe.run(SAMPLES / "rotated.pdf", f"auto:{HERE}:HiveReport")) == {"unknown_document"}


def test_a_pile_of_two_kinds_in_one_file_is_never_accepted(tmp_path):
    drawn_invoices.save(tmp_path / "bill.pdf", drawn_invoices.honest("en", "columns", 3), drawn_invoices.honest("en", "columns", 3))
    with pymupdf.open(tmp_path / "bill.pdf") as pile, pymupdf.open(page(tmp_path / "hive.pdf", HIVE, first=20)) as other:
        pile.insert_pdf(other)
        pile.save(tmp_path / "pile.pdf")
    found = docpipe.run(tmp_path / "pile.pdf", f"auto:invoice,{HERE}:HiveReport")
    assert found.status == "review" and found.schema_ref.name == "invoice" and "several_documents" in codes(found)
    assert any("HiveReport" in issue.message for issue in found.issues)


def test_the_command_reads_each_file_with_its_own_schema(capsysbinary, tmp_path):
    work = tmp_path / "work"
    assert main(["run", str(SAMPLES / "rotated.pdf"), str(SAMPLES / "tax_invoice_kr.pdf"), "--schema", "auto", "--work", str(work)]) == 0
    found = [json.loads(line) for line in capsysbinary.readouterr().out.splitlines()]
    assert [one["schema"]["name"] for one in found] == ["invoice", "tax_invoice_kr"] == [one["classified"]["choice"] for one in found]
    kept = json.loads((work / "rotated.pdf" / "readings.json").read_text())
    assert kept["job"]["schema_ref"]["name"] == "invoice"
    assert main(["run", str(SAMPLES / "rotated.pdf"), "--schema", "auto", "--work", str(work / "rotated.pdf")]) == 0, "once more"


@pytest.mark.parametrize("schema", ["auto:", "auto:invoice,,receipt", "auto:nonsense", "auto:invoice,hive=what a hive says"])
def test_an_auto_that_makes_no_sense(schema):
    with pytest.raises(errors.UsageError):
        docpipe.run(SAMPLES / "invoice.pdf", schema)


def test_pages_that_hold_nothing_to_extract_are_passed_over_and_said_so(tmp_path):
    conditions = page(
        tmp_path / "conditions.pdf", ("General terms and conditions", *TERMS * 3, "Void is Invoice no. 4711-99 Total 12.00 EUR with us.")
    )
    with pymupdf.open(SAMPLES / "invoice.pdf") as bill, pymupdf.open(conditions) as small_print:
        bill.insert_pdf(small_print)
        bill.save(tmp_path / "bill.pdf")
    found, alone = docpipe.run(tmp_path / "bill.pdf", "auto"), docpipe.run(SAMPLES / "invoice.pdf", "invoice")
    assert [one.kind for one in found.pages] == ["content", "content", "terms"] and found.status == alone.status == "accepted"
    assert [(issue.code, issue.severity, issue.page) for issue in found.issues] == [("page_skipped", "warning", 3)]
    assert found.data == alone.data and {field.page for field in found.fields} <= {1, 2}
    assert "kind" not in json.loads(alone.to_json())["pages"][0], "what a result had before has not changed"
    named = docpipe.run(tmp_path / "bill.pdf", "invoice")
    assert [one.kind for one in named.pages] == ["content"] * 3, "a schema that is named is looked for on every page"


@pytest.mark.parametrize("title", ["Allgemeine Geschäftsbedingungen", "Fax"])
def test_a_page_with_a_sum_is_looked_at_whatever_it_calls_itself(title, tmp_path):
    """A total of 521.04 below small print speaks against that of the page before."""
    prose = TERMS * 3 if title != "Fax" else ()
    later = page(tmp_path / "later.pdf", (title, *prose, "Gesamtbetrag 521,04 EUR"))
    with pymupdf.open(SAMPLES / "invoice.pdf") as bill, pymupdf.open(later) as added:
        bill.insert_pdf(added)
        bill.save(tmp_path / "bill.pdf")
    found = docpipe.run(tmp_path / "bill.pdf", "auto")
    assert [one.kind for one in found.pages] == ["content"] * 3 and found.status == "review"
    assert ("two_values", "gross_total") in {(issue.code, issue.path) for issue in found.issues}


def test_an_einvoice_without_pages_is_of_the_class_that_has_a_place_for_it(tmp_path):
    (tmp_path / "bill.xml").write_text(CII_2)
    for schema, read in (("auto", "invoice"), (f"auto:{HERE}:HiveReport", "transcript")):
        found = docpipe.run(tmp_path / "bill.xml", schema)
        assert found.schema_ref.name == read and ("unknown_document" in codes(found)) == (read == "transcript")


def test_a_classifier_without_a_vote_is_said_so_in_the_result(tmp_path):
    settings = Settings(backend="replay", model=ModelOptions(model=str(recording(tmp_path, {"fail": "gone"}))))
    found = docpipe.run(SAMPLES / "invoice.pdf", "auto", classifiers=("words", "vlm"), settings=settings)
    assert found.status == "accepted" and {(issue.code, issue.severity) for issue in found.issues} == {("classifier_failed", "warning")}
    assert [issue.page for issue in found.issues] == [1, 2] and "vlm: " in found.issues[0].message
    alone = docpipe.run(SAMPLES / "invoice.pdf", "auto", classifiers=("vlm",), settings=settings)
    assert (alone.status, alone.schema_ref.name) == ("review", "transcript") and "unknown_document" in codes(alone)


def test_a_model_cannot_have_a_page_with_sums_passed_over(tmp_path):
    settings = Settings(backend="replay", model=ModelOptions(model=str(recording(tmp_path, {"text": '{"class":"terms"}'}))))
    found = docpipe.run(SAMPLES / "invoice.pdf", "auto", classifiers=("vlm",), settings=settings)
    assert [page.kind for page in found.pages] == ["content", "content"] and found.status == "review"
    conditions = page(tmp_path / "conditions.pdf", ("Our ways", *TERMS * 3))
    assert [page.kind for page in docpipe.run(conditions, "auto", classifiers=("vlm",), settings=settings).pages] == ["terms"]
