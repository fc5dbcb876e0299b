"""validate(): what stands, what confirms it, and what is never accepted."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, ClassVar

import pytest
from pydantic import BaseModel, Field

from docpipe.annotations import (
    AnyOf,
    AtMost,
    DefaultTo,
    Distinct,
    Kind,
    Labels,
    Merge,
    Ordered,
    Product,
    Required,
    Rows,
    Rule,
    SameBlock,
    Sum,
)
from docpipe.fields import schema_ref
from docpipe.records import (
    Candidate,
    Document,
    Evidence,
    Failure,
    Issue,
    Job,
    Locale,
    Outcome,
    PageSummary,
    Reading,
    Readings,
    Result,
    Usage,
)
from docpipe.validate import validate
from docpipe.validate.rules import check

PRINTED = Labels(en="Label")  # as EXACT shows it


class Party(BaseModel):
    name: Annotated[str | None, Kind("name")] = None
    address: Annotated[str | None, Kind("address")] = None


class Row(BaseModel):
    description: str | None = None
    quantity: Annotated[Decimal | None, Kind("quantity")] = None
    unit_price: Decimal | None = None
    amount: Decimal | None = None


class Bill(BaseModel):
    rules: ClassVar[tuple[Rule, ...]] = (
        Sum("gross", ("net", "tax")),
        AnyOf((Sum("net", ("rows[*].amount",)), Sum("gross", ("rows[*].amount",)))),
        Sum("due", ("gross",), ("paid",)),
        Product("rows[*].amount", ("rows[*].quantity", "rows[*].unit_price")),
        AtMost("tax", "net", Decimal("0.30")),
        DefaultTo("due", "gross"),
        Ordered("issued", "payable"),
        Distinct("seller.name", "buyer.name"),
        SameBlock(("seller.name", "seller.address")),
    )
    number: Annotated[str | None, Kind("id"), PRINTED, Required()] = None
    issued: Annotated[date | None, PRINTED, Required()] = None
    payable: Annotated[date | None, PRINTED] = None
    net: Decimal | None = None
    tax: Decimal | None = None
    gross: Annotated[Decimal | None, PRINTED, Required()] = None
    paid: Decimal | None = None
    due: Decimal | None = None
    iban: Annotated[str | None, Kind("iban")] = None
    seller: Party | None = None
    buyer: Party | None = None
    rows: list[Row] = Field(default_factory=list)


IBAN = "DE89370400440532013000"
EXACT = Evidence(relation="right", label="Label", label_score=1.0, fit=1.0, features={"own": 1.0})
COLUMN = Evidence(relation="column", label="Column", label_score=1.0, fit=1.0)
NO_LABEL = Evidence(fit=1.0)


def say(path: str, value: str | None, score: float = 1.5, *, evidence: Evidence = EXACT, page: int = 1, **more) -> Candidate:
    more.setdefault("engine", "labels")
    more.setdefault("raw", value)
    return Candidate(path=path, value=value, score=score, page=page, evidence=evidence, **more)


def row(index: int, quantity: str, price: str, amount: str, **more) -> list[Candidate]:
    cells = {"description": f"Thing {index}", "quantity": quantity, "unit_price": price, "amount": amount}
    return [say(f"rows[{index}].{name}", text, evidence=COLUMN, **more) for name, text in cells.items()]


def clean() -> list[Candidate]:
    """A bill on which everything is labelled and adds up."""
    return [
        say("number", "A-17"),
        say("issued", "2024-03-14", raw="14.03.2024"),
        say("payable", "2024-03-28", raw="28.03.2024"),
        say("net", "100.00"),
        say("tax", "19.00"),
        say("gross", "119.00"),
        *row(0, "2", "30.00", "60.00"),
        *row(1, "4", "10.00", "40.00"),
    ]


def without(candidates: list[Candidate], *paths: str) -> list[Candidate]:
    return [candidate for candidate in candidates if candidate.path not in paths]


def reading(candidates: list[Candidate], engine: str = "labels", **more) -> Reading:
    mine = tuple(candidate.model_copy(update={"engine": engine}) for candidate in candidates)
    return Reading(engine=engine, pages=more.pop("pages", (1,)), candidates=mine, **more)


def readings(*outcomes: Outcome, schema: type[BaseModel] = Bill, pages: tuple[PageSummary, ...] | None = None) -> Readings:
    document = Document(name="bill.pdf", sha256="0" * 64, media_type="application/pdf", pages=1)
    job = Job(id="job", source=Path("bill.pdf"), document=document, schema_ref=schema_ref(schema))
    return Readings(job=job, pages=pages or (PageSummary(number=1, status="done", words="text_layer"),), outcomes=outcomes)


def result(*outcomes: Outcome, schema: type[BaseModel] = Bill, pages: tuple[PageSummary, ...] | None = None) -> Result:
    return validate(readings(*outcomes, schema=schema, pages=pages), schema)


def field(found: Result, path: str):
    return next(field for field in found.fields if field.path == path)


def codes(found: Result, severity: str | None = None) -> set[str]:
    return {issue.code for issue in found.issues if severity in (None, issue.severity)}


def test_a_clean_bill_is_accepted_and_typed():
    found = result(reading(clean()))
    assert (found.status, found.issues) == ("accepted", ())
    assert isinstance(found.data, Bill)
    assert found.data.rows[1].amount == Decimal("40.00")
    assert found.data.issued == date(2024, 3, 14)


def test_what_confirms_a_value_is_named():
    found = result(reading([*clean(), say("iban", IBAN)]))
    assert field(found, "gross").confirmed_by == ("sum:gross",)
    assert field(found, "number").confirmed_by == ("label",)
    assert field(found, "rows[0].amount").confirmed_by == ("sum:net", "product")
    assert "checksum:iban" in field(found, "iban").confirmed_by


def test_the_default_is_filled_in_and_as_confirmed_as_its_source():
    found = result(reading(clean()))
    assert found.data.due == Decimal("119.00")
    assert field(found, "due").confirmed_by == ("default:gross",)


def test_the_default_is_not_filled_in_where_something_is_taken_off():
    found = result(reading([*clean(), say("paid", "50.00")]))
    assert found.data.due is None


def test_a_sum_without_labels_confirms_nothing():
    bare = [candidate.model_copy(update={"evidence": NO_LABEL}) for candidate in clean()]
    found = result(reading(bare))
    assert found.status == "review"
    assert field(found, "gross").confirmed_by == ()


def test_a_zero_sum_proves_nothing():
    zero = [*without(clean(), "net", "tax", "gross"), say("net", "0.00"), say("tax", "0.00"), say("gross", "0.00")]
    found = result(reading([candidate for candidate in zero if not candidate.path.startswith("rows")]))
    assert field(found, "gross").confirmed_by == ()
    assert found.status == "review"


def test_a_number_printed_twice_proves_nothing():
    """net + no tax = gross says no more than the same number in two places."""
    found = result(reading([*without(clean(), "net", "tax", "gross")[:3], say("net", "50.00"), say("tax", "0.00"), say("gross", "50.00")]))
    assert field(found, "gross").confirmed_by == ()
    assert found.status == "review"


def test_a_broken_sum_is_an_error_and_names_what_it_should_be():
    found = result(reading([*without(clean(), "gross"), say("gross", "555.00")]))
    assert found.status == "review"
    issue = next(issue for issue in found.issues if issue.code == "sum_mismatch" and issue.path == "gross")
    assert (issue.severity, issue.suggestion) == ("error", "119.00")
    assert found.data.gross == Decimal("555.00")


def test_a_missing_required_field_is_an_error():
    found = result(reading(without(clean(), "number")))
    assert found.status == "review"
    assert "missing_required" in codes(found, "error")


def test_a_total_that_is_not_printed_is_never_made_up():
    found = result(reading(without(clean(), "gross")))
    assert found.data.gross is None
    assert found.data.due is None


def test_totals_that_fit_together_win_over_a_better_scored_one():
    found = result(reading([*clean(), say("gross", "219.00", score=1.9)]))
    assert found.data.gross == Decimal("119.00")
    assert [other.value for other in field(found, "gross").alternatives] == ["219.00"]


def test_a_part_above_its_share_does_not_count_as_a_sum():
    """50 + 69 = 119 adds up, but 69 is no tax on 50."""
    tempting = [say("net", "50.00", score=1.6), say("tax", "69.00", score=1.6)]
    found = result(reading([*(one for one in clean() if not one.path.startswith("rows")), *tempting]))
    assert (found.data.net, found.data.tax) == (Decimal("100.00"), Decimal("19.00"))


def test_dates_in_the_wrong_order_are_an_error():
    found = result(reading([*without(clean(), "payable"), say("payable", "2024-01-01")]))
    assert found.status == "review"
    assert "date_order" in codes(found, "error")


def test_one_name_is_not_both_parties():
    parties = [say("seller.name", "Acme", score=1.5), say("buyer.name", "ACME", score=1.0), say("buyer.name", "Zenith", score=0.6)]
    found = result(reading([*clean(), *parties]))
    assert (found.data.seller.name, found.data.buyer.name) == ("Acme", "Zenith")


def test_a_party_without_a_name_of_its_own_has_none():
    found = result(reading([*clean(), say("seller.name", "Acme", score=1.5), say("buyer.name", "Acme", score=1.0)]))
    assert found.data.seller.name == "Acme"
    assert found.data.buyer is None or found.data.buyer.name is None
    assert "same_party" in codes(found)


def test_name_and_address_come_from_one_block():
    def block(number: int) -> Evidence:
        return Evidence(relation="block", fit=1.0, label_score=1.0, features={"block": float(number)})

    names = [say("seller.name", "Acme", 1.0, evidence=block(1)), say("seller.name", "Zenith", 0.9, evidence=block(2))]
    found = result(reading([*clean(), *names, say("seller.address", "1 Road, 12345 Town", evidence=block(2))]))
    assert found.data.seller.name == "Zenith"


def test_a_failed_checksum_is_an_error():
    found = result(reading([*clean(), say("iban", "DE89370400440532013001")]))
    assert found.status == "review"
    assert "checksum_failed" in codes(found, "error")


def test_a_rival_at_the_label_keeps_it_from_confirming():
    found = result(reading([*clean(), say("number", "B-99", score=1.4)]))
    assert found.data.number == "A-17"
    assert (found.status, field(found, "number").confirmed_by) == ("review", ())


def test_a_table_that_neither_adds_up_nor_multiplies_is_not_accepted():
    loose = [say("rows[0].description", "Thing"), say("rows[0].amount", "119.00", evidence=COLUMN)]
    found = result(reading([candidate for candidate in clean() if not candidate.path.startswith("rows")] + loose))
    assert found.status == "review"
    assert "rows_unconfirmed" in codes(found)


def test_rows_that_do_not_multiply_are_errors():
    found = result(reading([*without(clean(), "rows[1].unit_price"), say("rows[1].unit_price", "77.77", evidence=COLUMN)]))
    assert found.status == "review"
    assert "product_mismatch" in codes(found, "error")


def test_columns_that_are_no_factors_are_not_asked():
    rows = [cell for index in range(4) for cell in row(index, "7", "3.00", "25.00")]
    found = result(reading([candidate for candidate in clean() if not candidate.path.startswith("rows")] + rows))
    assert "product_mismatch" not in codes(found)
    assert found.status == "accepted"


def test_a_misread_digit_is_repaired_only_to_what_the_print_may_say():
    slipped = [*without(clean(), "rows[0].amount"), say("rows[0].amount", "80.00", evidence=COLUMN)]
    found = result(reading(slipped))
    assert found.data.rows[0].amount == Decimal("60.00")
    assert found.status == "review"
    issue = next(issue for issue in found.issues if issue.code == "repaired")
    assert (issue.path, issue.suggestion) == ("rows[0].amount", "60.00")
    assert field(found, "rows[0].amount").raw == "80.00"
    assert "80.00" in [other.value for other in field(found, "rows[0].amount").alternatives]


def test_a_number_that_no_slip_explains_is_left_alone():
    slipped = [*without(clean(), "rows[0].amount"), say("rows[0].amount", "23.00", evidence=COLUMN)]
    found = result(reading(slipped))
    assert found.data.rows[0].amount == Decimal("23.00")
    assert "repaired" not in codes(found)
    assert found.status == "review"


def test_a_repair_needs_more_than_the_sum_that_it_mends():
    """18 may be a misread 19, but nothing else speaks for the tax: the net or the gross may as well be misread."""
    slipped = [one for one in clean() if not one.path.startswith("rows") and one.path != "tax"]
    found = result(reading([*slipped, say("tax", "18.00")]))
    assert found.data.tax == Decimal("18.00")
    assert "sum_mismatch" in codes(found, "error")


def test_the_xml_stands_first_and_the_page_confirms_it():
    found = result(reading(clean()), reading(clean(), "einvoice"))
    assert field(found, "gross").engine == "einvoice"
    assert "agree:einvoice+labels" in field(found, "gross").confirmed_by
    assert found.status == "accepted"


def test_an_xml_file_without_pages_needs_no_page_to_agree():
    elements = [one.model_copy(update={"evidence": Evidence(relation="xml", label_score=1.0, fit=1.0)}) for one in clean()]
    alone = readings(reading(elements, "einvoice", pages=())).model_copy(update={"pages": ()})
    assert validate(alone, Bill).status == "accepted"
    beside_a_page = result(reading(elements, "einvoice"))
    assert (beside_a_page.status, field(beside_a_page, "number").confirmed_by) == ("review", ())


def test_a_page_that_contradicts_its_xml_is_an_error():
    page = [*without(clean(), "gross", "tax"), say("gross", "120.00", score=2.0), say("tax", "20.00")]
    found = result(reading(page), reading(clean(), "einvoice"))
    assert found.data.gross == Decimal("119.00")
    issue = next(issue for issue in found.issues if issue.code == "xml_differs" and issue.path == "gross")
    assert (issue.severity, issue.suggestion) == ("error", "120.00")
    assert found.status == "review"


def test_an_unsure_page_does_not_contradict_its_xml():
    unsure = [say("gross", "7.00", score=-0.5, evidence=NO_LABEL)]
    found = result(reading(unsure), reading(clean(), "einvoice"))
    assert "xml_differs" not in codes(found)


def test_what_is_too_unsure_is_not_given_but_named():
    weak = say("payable", "2024-05-05", score=-0.9, evidence=Evidence(fit=0.3))
    found = result(reading([*without(clean(), "payable"), weak]))
    assert found.data.payable is None
    assert next(issue for issue in found.issues if issue.path == "payable").suggestion == "2024-05-05"


def test_a_failed_page_keeps_the_document_from_being_accepted():
    pages = (PageSummary(number=1, status="done"), PageSummary(number=2, status="failed", error="deadline"))
    found = result(reading(clean()), pages=pages)
    assert found.status == "review"
    assert next(issue for issue in found.issues if issue.code == "page_failed").page == 2


def test_a_failed_engine_keeps_the_document_from_being_accepted():
    found = result(reading(clean()), Failure(engine="vlm", pages=(1,), code="engine", message="gone"))
    assert found.status == "review"
    assert "engine_failed" in codes(found, "error")


def test_all_pages_or_engines_failed_is_failed():
    assert result(reading([]), pages=(PageSummary(number=1, status="failed"),)).status == "failed"
    assert result(Failure(engine="labels", pages=(1,), code="engine")).status == "failed"


def test_finding_nothing_is_said():
    found = result(reading([]))
    assert found.status == "review"
    assert "nothing_found" in codes(found, "error")
    assert (found.data.gross, found.data.rows, found.fields) == (None, [], ())


def test_an_engines_own_error_counts():
    found = result(reading(clean(), issues=(Issue(code="truncated", severity="error", message="cut short"),)))
    assert found.status == "review"


def test_an_ungrounded_value_is_doubted():
    found = result(reading([*without(clean(), "number"), say("number", "A-17", grounded=False)]))
    assert found.status == "review"
    assert "ungrounded" in codes(found)


def test_raw_texts_are_normalized_with_the_separator_the_sums_hold_under():
    """1.234 + 235 = 1.469 holds with thousands; the form alone says nothing."""
    raws = {"net": "1.234", "tax": "235", "gross": "1.469", "issued": "14. März 2024", "iban": "DE89 3704 0044 0532 0130 00"}
    found = result(reading([say(path, None, raw=raw) for path, raw in raws.items()]))
    assert (found.data.net, found.data.tax, found.data.gross) == (Decimal("1234"), Decimal("235"), Decimal("1469"))
    assert (found.data.issued, found.data.iban) == (date(2024, 3, 14), IBAN)


def test_a_date_that_could_be_two_is_not_accepted():
    open_ = [*without(clean(), "issued", "payable"), say("issued", "2024-04-03", raw="03/04/2024")]
    found = result(reading(open_))
    assert found.status == "review"
    assert next(issue for issue in found.issues if issue.code == "ambiguous_date").suggestion == "2024-03-04"
    assert result(reading(open_, locale=Locale(date_order="day_first"))).status == "accepted"


def test_rows_of_several_pages_follow_one_another_and_equal_rows_stay():
    first = reading(row(0, "2", "30.00", "60.00"), "vlm", pages=(1,))
    second = reading([*row(0, "2", "30.00", "60.00", page=2), *row(1, "1", "5.00", "5.00", page=2)], "vlm", pages=(2,))
    found = result(second, first)
    assert [item.amount for item in found.data.rows] == [Decimal("60.00"), Decimal("60.00"), Decimal("5.00")]
    assert field(found, "rows[1].amount").page == 2


def test_two_engines_that_agree_confirm_each_others_rows():
    found = result(reading(clean()), reading(clean(), "vlm"))
    assert "agree:labels+vlm" in field(found, "rows[0].description").confirmed_by
    assert len(found.data.rows) == 2


def test_usage_and_producer_name_every_engine():
    spent = Usage(calls=2, prompt_tokens=7, completion_tokens=3, cost_usd=0.5)
    found = result(reading(clean()), reading([], "vlm", usage=spent, model="m"), Failure(engine="vlm", pages=(1,), code="x"))
    assert found.usage.by_engine["vlm"] == Usage(calls=3, prompt_tokens=7, completion_tokens=3, cost_usd=0.5)
    assert (set(found.producer.engines), found.producer.models) == ({"labels", "vlm"}, {"vlm": "m"})


class Loose(BaseModel):
    """No field is required: every value given must be confirmed."""

    first: Annotated[str | None, Kind("id"), Merge("first"), PRINTED] = None
    last: Annotated[str | None, Kind("id"), Merge("last")] = None
    voted: Annotated[str | None, Kind("id"), Merge("vote")] = None
    agreed: Annotated[str | None, Kind("id"), Merge("must_agree")] = None
    joined: Annotated[str | None, Kind("page_text"), Merge("concat_text")] = None
    amount: Annotated[Decimal | None, PRINTED] = None


def test_without_required_fields_every_value_must_pass():
    assert result(reading([say("first", "A1"), say("amount", "5.00")]), schema=Loose).status == "accepted"
    doubtful = say("last", "Z9", 0.6, evidence=Evidence(fit=1.0, label_score=0.9, relation="right"))
    assert result(reading([say("first", "A1"), doubtful]), schema=Loose).status == "review"


def test_each_merge_policy_over_pages():
    pages = [("A", 1.4, 1), ("B", 1.6, 2), ("B", 1.5, 3), ("C", 1.5, 4)]
    for path, expected in (("first", "A"), ("last", "C"), ("voted", "B"), ("agreed", "B")):
        found = result(reading([say(path, value, score, page=page) for value, score, page in pages]), schema=Loose)
        assert getattr(found.data, path) == expected, path
        assert ("conflict" in codes(found, "error")) == (path == "agreed")


def test_a_weak_guess_on_the_last_page_is_no_claim():
    found = result(reading([say("last", "A", 1.6), say("last", "Z", 0.1, page=9)]), schema=Loose)
    assert found.data.last == "A"


def test_page_texts_are_joined_in_page_order():
    found = result(reading([say("joined", "two", page=2)], pages=(2,)), reading([say("joined", "one")]), schema=Loose)
    assert found.data.joined == "one\n\ntwo"


def test_the_text_of_a_trusted_text_layer_needs_no_second_reading():
    pages = (PageSummary(number=1, status="done", words="text_layer"),)
    assert result(reading([say("joined", "one")]), schema=Loose, pages=pages).status == "accepted"
    scanned = (PageSummary(number=1, status="done", words="ocr"),)
    assert result(reading([say("joined", "one", evidence=NO_LABEL)]), schema=Loose, pages=scanned).status == "review"


class Strict(BaseModel):
    code: Annotated[str, Kind("id")] = Field(pattern="^[A-Z]+$")


def test_values_that_the_class_refuses_are_given_as_plain_json():
    found = result(reading([say("code", "abc")]), schema=Strict)
    assert found.data == {"code": "abc"}
    assert found.status == "review"
    assert "schema_mismatch" in codes(found, "error")


def labelled(score: float, **features: float) -> Evidence:
    return Evidence(relation="right", label="Label", label_score=score, fit=1.0, features=features)


def test_a_label_does_not_confirm_what_ocr_read():
    for features, expected in (({}, ("label",)), ({"ocr": 1.0, "word_confidence": 0.99}, ())):
        found = result(reading([*without(clean(), "number"), say("number", "A-17", evidence=labelled(1.0, **features))]))
        assert field(found, "number").confirmed_by == expected


def test_only_a_label_that_the_schema_names_confirms():
    guessed = Evidence(relation="right", label="Lable no.", label_score=1.0, fit=1.0)
    found = result(reading([*without(clean(), "number"), say("number", "A-17", evidence=guessed)]))
    assert field(found, "number").confirmed_by == () and found.status == "review"


class Sheet(BaseModel):
    entries: Annotated[list[Row], Rows("pairs")] = Field(default_factory=list)


def test_a_pair_found_on_a_page_is_confirmed_by_nothing():
    pair = Evidence(relation="right", label="Total", label_score=1.0, fit=1.0)
    found = result(
        reading([say("entries[0].description", "Total", evidence=pair), say("entries[0].amount", "5.00", evidence=pair)]), schema=Sheet
    )
    assert found.status == "review"


def confirmed(path: str, evidence: Evidence, value: str) -> tuple[str, ...]:
    return field(result(reading([*without(clean(), path), say(path, value, evidence=evidence)])), path).confirmed_by


def test_words_beside_a_required_value_or_its_label_take_the_label_s_word_away():
    assert confirmed("number", labelled(1.0, beside=0.0), "A-17") == ("label",)
    assert confirmed("number", labelled(1.0, beside=1.0, similarity=1.0), "A-17") == ()


def test_an_optional_value_may_stand_in_a_sentence_that_does_not_turn_its_meaning():
    for turned, expected in ((0.0, ("label",)), (1.0, ())):
        sentence = labelled(0.5, beside=4.0, similarity=1.0, turned=turned)
        assert confirmed("payable", sentence, "2024-03-28") == expected


def test_another_value_at_the_field_s_own_label_takes_every_confirmation_away():
    for path, value in (("gross", "990.00"), ("number", "B-99"), ("issued", "2023-05-05")):
        rival = say(path, value, 0.3, page=2)
        found = result(reading([*clean(), rival]))
        assert field(found, path).confirmed_by == () and found.status == "review", path
    assert field(result(reading([*clean(), say("gross", "100.00", 0.3, page=2)])), "gross").confirmed_by  # the net total, said again


def test_a_value_whose_label_is_turned_keeps_a_document_from_being_accepted():
    for turned, status in ((0.0, "accepted"), (1.0, "review")):
        account = say("iban", IBAN, 2.5, evidence=labelled(1.0, turned=turned))
        assert result(reading([*clean(), account])).status == status


def test_a_damaged_file_is_never_accepted():
    whole = readings(reading(clean()))
    document = whole.job.document.model_copy(update={"repaired": True})
    damaged = whole.model_copy(update={"job": whole.job.model_copy(update={"document": document})})
    assert validate(whole, Bill).status == "accepted"
    assert validate(damaged, Bill).status == "review" and "repaired_document" in codes(validate(damaged, Bill), "error")


def test_what_is_due_is_open_where_the_page_says_more_below_the_total():
    placed = [candidate.model_copy(update={"box": (0, 100, 50, 110)}) if candidate.path == "gross" else candidate for candidate in clean()]
    for top, sure in ((50, True), (200, False)):
        other = say("due", "77.00", -0.4, evidence=NO_LABEL, box=(0, top, 50, top + 10))
        found = result(reading([*placed, other]))
        assert (field(found, "due").confirmed_by == ("default:gross",)) == sure
        assert (found.status == "accepted") == sure


def test_a_date_whose_first_number_could_be_the_year_is_open():
    for raw, status in (("17.03.24", "review"), ("03.17.24", "accepted"), ("2024-03-14", "accepted")):
        value = {"17.03.24": "2024-03-17", "03.17.24": "2024-03-17"}.get(raw, raw)
        found = result(reading([*without(clean(), "issued"), say("issued", value, raw=raw)]))
        assert found.status == status, raw


def test_another_name_in_the_xml_than_on_the_page_is_an_error():
    page = reading([*clean(), say("seller.name", "Alpha Tools Ltd")])
    xml = reading([*clean(), say("seller.name", "Evil Holding Inc")], engine="einvoice")
    assert "xml_differs" in codes(result(page, xml), "error")


def test_arithmetic_does_not_confirm_against_a_better_labelled_value():
    """The sums pick 119; a value that its own label speaks for more strongly was passed over, so somebody should look."""
    found = result(reading([*clean(), say("gross", "219.00", score=1.9)]))
    assert (found.data.gross, field(found, "gross").confirmed_by, found.status) == (Decimal("119.00"), (), "review")


def test_a_part_that_nobody_believes_takes_no_part_in_a_sum():
    """119 - 19 = 100: what is due would be 100, were 19 a payment."""
    found = result(
        reading([*clean(), say("paid", "19.00", -0.9, evidence=Evidence(fit=0.3)), say("due", "119.00", 1.0), say("due", "100.00", 0.4)])
    )
    assert (found.data.paid, found.data.due) == (None, Decimal("119.00"))


def test_a_printed_amount_due_is_not_overwritten_by_the_default():
    printed = say("due", "70.00", -1.2, evidence=Evidence(relation="right", label="due", label_score=0.9, fit=0.3))
    found = result(reading([*clean(), printed]))
    assert found.data.due != Decimal("119.00")


def test_quantity_and_price_need_labels_of_their_own():
    """Both orders multiply: only the header tells which column is which."""
    bare = [one.model_copy(update={"evidence": NO_LABEL}) if one.path.startswith("rows") else one for one in clean()]
    found = result(reading(bare))
    assert found.status == "review"
    assert "rows_unconfirmed" in codes(found)


def test_a_date_right_behind_the_documents_number_is_the_documents():
    weak = Evidence(fit=1.0)
    number = say("number", "A-17", box=(50, 100, 90, 110))
    behind = [say("issued", "2024-03-14", 1.2, evidence=weak, box=(110, 100, 160, 110)), say("issued", "2024-01-01", 0.1, evidence=weak)]
    base = without(clean(), "number", "issued")
    found = result(reading([*base, number, *behind]))
    assert field(found, "issued").confirmed_by == ("beside:number",)
    below = behind[0].model_copy(update={"box": (110.0, 130.0, 160.0, 140.0)})
    assert field(result(reading([*base, number, below, behind[1]])), "issued").confirmed_by == ()


class Letter(Bill):
    rules: ClassVar[tuple[Rule, ...]] = (*Bill.rules, SameBlock(("buyer.name", "buyer.address")))


def party(side: str, number: int, top: float, **features: float) -> list[Candidate]:
    def part(first: float, lines: float, **more: float) -> Evidence:
        block = {"block": float(number), "block_lines": 3.0, "first_line": first, "lines": lines}
        return Evidence(relation="block", fit=0.7, features={**block, **features, **more})

    box = (70, top, 150, top + 15)
    name = say(f"{side}.name", f"Name of {side}", 0.6, evidence=part(0, 1), box=box)
    return [name, say(f"{side}.address", f"Street of {side} 1", 0.6, evidence=part(1, 2, postal=1, at_street=1), box=box)]


def test_a_letters_sender_and_the_address_below_it_confirm_each_other():
    parties = [*party("seller", 1, 150, one_line=1), *party("buyer", 2, 180)]
    found = result(reading([*clean(), *parties]), schema=Letter)
    assert {field(found, f"{side}.{what}").confirmed_by for side in ("seller", "buyer") for what in ("name", "address")} == {("block",)}
    far = [*party("seller", 1, 150, one_line=1), *party("buyer", 2, 400)]
    assert field(result(reading([*clean(), *far]), schema=Letter), "buyer.name").confirmed_by == ()


def test_a_heading_gives_a_block_to_its_party_and_not_against_another():
    headed = result(reading([*clean(), *party("buyer", 2, 180, section=0.9)]), schema=Letter)
    assert field(headed, "buyer.name").confirmed_by == ("block",)
    other = result(reading([*clean(), *party("buyer", 2, 180, section=0.9, other_section=0.95)]), schema=Letter)
    assert field(other, "buyer.name").confirmed_by == ()


@pytest.mark.parametrize(
    ("due", "prepaid", "state"),
    [("120.02", None, "absent"), ("100.02", None, "unexplained"), ("100.02", "20.00", "holds"), ("110.02", "20.00", "broken")],
)
def test_a_sum_that_lacks_what_is_taken_off_confirms_nothing_and_explains_nothing(due, prepaid, state):
    rule = Sum("due", ("gross", "rounding"), ("prepaid",), ("rounding",))
    values = {"due": due, "gross": "120.00", "rounding": "0.02", **({"prepaid": prepaid} if prepaid else {})}
    assert [finding.state for finding in check([rule], values)] == [state]


class Till(BaseModel):
    rules: ClassVar[tuple[Rule, ...]] = (
        Sum("total", ("net", "rounding"), optional=("rounding",)),
        AtMost("rounding", "total", Decimal("0.05")),
    )
    net: Decimal | None = None
    rounding: Decimal | None = None
    total: Decimal | None = None


def test_the_total_after_rounding_stands_where_the_till_prints_that_it_rounds():
    totals = [say("total", "17.22", 1.6), say("total", "17.20", 1.2)]
    assert result(reading(totals), schema=Till).data.total == Decimal("17.22")
    rounds = say("rounding", "9.99", 0.1)
    assert result(reading([*totals, rounds]), schema=Till).data.total == Decimal("17.20")


class Tax(BaseModel):
    tax_id: Annotated[str | None, Kind("tax_id")] = None


def test_a_tax_id_that_fails_in_a_text_layer_is_the_documents_own_mistake():
    for ocr, severity in ((0.0, "warning"), (1.0, "error")):
        found = result(reading([say("tax_id", "DE123456789", evidence=labelled(1.0, ocr=ocr))]), schema=Tax)
        assert [issue.severity for issue in found.issues if issue.code == "checksum_failed"] == [severity]


def test_an_xml_value_that_is_printed_elsewhere_on_the_page_is_a_warning():
    page = [*without(clean(), "number"), say("number", "B-99", 1.9), say("number", "A-17", 0.2)]
    found = result(reading(page), reading(clean(), "einvoice"))
    assert [issue.severity for issue in found.issues if issue.code == "xml_differs"] == ["warning"]


def test_a_language_model_labels_what_the_pages_words_bear_out():
    def model(grounded: bool) -> Result:
        seen = Evidence(relation="model")
        return result(reading([one.model_copy(update={"evidence": seen, "grounded": grounded}) for one in clean()], "vlm"))

    assert field(model(True), "gross").confirmed_by == ("sum:gross",)
    assert field(model(False), "gross").confirmed_by == ()
