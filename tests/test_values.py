"""Amounts, dates, identifiers and folded text, as documents print them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docpipe.values.amounts import find_amounts, parse_amount, plain, to_decimal, vote_decimal
from docpipe.values.dates import find_dates, parse_date, vote_date_order
from docpipe.values.identifiers import checksum, find_currencies, find_ibans, find_tax_ids, vote_currency
from docpipe.values.text import fold, squash, tidy


@pytest.mark.parametrize(
    ("text", "decimal", "value"),
    [
        ("1.234,50 €", ",", "1234.50"),
        ("$1,234.56", ".", "1234.56"),
        ("1 234,56", ",", "1234.56"),
        ("1'234.50 CHF", ".", "1234.50"),
        ("(12.50)", ".", "-12.50"),
        ("12,50-", ",", "-12.50"),
        ("−5.00", ".", "-5.00"),
        ("1.234", ",", "1234"),
        ("1.234", ".", "1.234"),
        ("3.000,00EUR", ",", "3000.00"),
        ("Total:12.00", ".", "12.00"),
        ("0,5", ".", "0.5"),
        ("₩1,100,000", ".", "1100000"),
    ],
)
def test_an_amount_is_read_as_printed(text: str, decimal: str, value: str) -> None:
    assert parse_amount(text, decimal) == Decimal(value)


@pytest.mark.parametrize("text", ["12:30", "INV-2018", "1545-0115", "03.04.2020", "v1.2.3", "123456789012", "AB12"])
def test_what_is_no_amount_is_none(text: str) -> None:
    assert find_amounts(text, ".") == []


def test_an_amount_knows_its_mark_its_places_and_its_span() -> None:
    (amount,) = find_amounts("Total RM 80.90", ".")
    assert (amount.currency, amount.decimals, "Total RM 80.90"[amount.start : amount.end]) == ("MYR", 2, "80.90")
    assert find_amounts("19 %", ",")[0].percent


def test_several_amounts_are_no_one_amount() -> None:
    assert parse_amount("2 x 5.00", ".") is None


@given(st.decimals(min_value=0, max_value=10**9, places=2), st.sampled_from(".,"), st.sampled_from(["", " ", "'", "’", "group"]))
def test_every_way_of_grouping_gives_the_number_back(value: Decimal, decimal: str, separator: str) -> None:
    group = {".": ",", ",": "."}[decimal] if separator == "group" else separator
    printed = f"{value:,.2f}".replace(",", "\0").replace(".", decimal).replace("\0", group)
    assert to_decimal(printed, decimal) == value


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**12), max_value=10**12))
def test_plain_has_no_exponent_and_loses_nothing(value: Decimal) -> None:
    assert "E" not in plain(value).upper()
    assert Decimal(plain(value)) == value


def test_decimal_separator_is_voted_by_form() -> None:
    votes = vote_decimal(["1.234,50", "3,20", "4.00", "1.000"])
    assert (votes[","], votes["."]) == (2, 1)


@pytest.mark.parametrize(
    ("text", "order", "value"),
    [
        ("03/04/2020", "day_first", "2020-04-03"),
        ("03/04/2020", "month_first", "2020-03-04"),
        ("25/12/2018", "month_first", "2018-12-25"),
        ("9/3/201820:54", "day_first", "2018-03-09"),
        ("12. März 2019", None, "2019-03-12"),
        ("le 1er août 2021", None, "2021-08-01"),
        ("5 de marzo de 2021", None, "2021-03-05"),
        ("March 3rd, 2020", None, "2020-03-03"),
        ("Jan-05-2020", None, "2020-01-05"),
        ("31-DEC-19", None, "2019-12-31"),
        ("2020-1-05", None, "2020-01-05"),
        ("2023년 9월 5일", None, "2023-09-05"),
        ("20181031", None, "2018-10-31"),
    ],
)
def test_a_date_is_read_as_printed(text: str, order: str | None, value: str) -> None:
    assert parse_date(text, order) == value


@pytest.mark.parametrize("text", ["32/13/2020", "1.2.3.4", "99/99/9999", "30.02.2020", "12:30", "Section 3.1.4"])
def test_what_is_no_date_is_none(text: str) -> None:
    assert find_dates(text, None) == []


def test_two_dates_are_found_in_order_and_are_no_one_date() -> None:
    text = "03/09/20 - 04/12/20"
    assert [date.value for date in find_dates(text, "month_first")] == ["2020-03-09", "2020-04-12"]
    assert parse_date(text, "month_first") is None


@given(st.dates(min_value=__import__("datetime").date(1970, 1, 1), max_value=__import__("datetime").date(2040, 12, 31)))
def test_numeric_dates_round_trip_in_both_orders(date) -> None:
    assert parse_date(date.strftime("%d.%m.%Y"), "day_first") == date.isoformat()
    assert parse_date(date.strftime("%m/%d/%Y"), "month_first") == date.isoformat()


def test_date_order_is_voted_by_unambiguous_dates_only() -> None:
    assert vote_date_order(["25/12/2018", "01/02/2018"]) == "day_first"
    assert vote_date_order(["12/25/2018"]) == "month_first"
    assert vote_date_order(["01/02/2018"]) is None
    assert vote_date_order(["25/12/2018", "12/25/2018"]) is None


def test_ibans_are_found_with_their_checksum() -> None:
    good, bad = find_ibans("IBAN DE89 3704 0044 0532 0130 00 BIC X"), find_ibans("DE12 1234 4321 9876 0000 00")
    assert [(found.value, found.valid) for found in good] == [("DE89370400440532013000", True)]
    assert [found.valid for found in bad] == [False]


def test_tax_ids_end_where_their_checksum_holds() -> None:
    found = find_tax_ids("USt-IdNr. DE 136 695 976 FR40303265045 and 220-81-62517")
    assert [(number.value, number.valid) for number in found] == [
        ("DE136695976", True),
        ("FR40303265045", True),
        ("220-81-62517", True),
    ]


def test_an_iban_is_no_tax_id() -> None:
    assert find_tax_ids("DE89 3704 0044 0532 0130 00") == []


def test_checksums_say_none_where_there_is_none_to_check() -> None:
    assert checksum("iban", "DE89370400440532013000") is True
    assert checksum("iban", "DE89370400440532013001") is False
    assert checksum("tax_id", "12-3456789") is None
    assert checksum("id", "4711") is None


def test_currencies_by_mark_and_code_but_not_inside_words() -> None:
    assert find_currencies("EUR 5, $3, rm -rf, PHARMA RM2") == ["EUR", "USD", "MYR"]
    assert vote_currency(["€ 5", "€ 6", "$ 1"]) == ("EUR", pytest.approx(2 / 3))
    assert vote_currency(["nothing"]) is None


def test_folding_makes_spellings_equal() -> None:
    assert fold("Größe:  É-Mail") == "grosse e mail"
    assert squash("Invoice No.") == squash("invoice number") == squash("INVOICE #")
    assert squash("N° de facture") != squash("facture")
    assert tidy("a\u00ad\u00a0b\n c") == "a b c"


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)
