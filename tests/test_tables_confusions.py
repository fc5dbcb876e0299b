"""What else a printed number may have been."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from docpipe.values.confusions import readings


@pytest.mark.parametrize(
    ("raw", "meant"),
    [("1O.50", "10.50"), ("l2,50", "12,50"), ("12.60", "12.80"), ("400,08", "400,00"), ("1250", "12.50"), ("€ 1250", "€ 12,50")],
)
def test_what_was_meant_is_among_the_readings(raw: str, meant: str) -> None:
    assert meant in readings(raw)


@pytest.mark.parametrize("raw", ["", "abc", "no digits here", "1" * 60])
def test_text_that_is_no_number_has_no_readings(raw: str) -> None:
    assert readings(raw) == ()


@given(some.text(alphabet="0123456789.,-€ Ol", max_size=20))
def test_a_reading_is_never_the_string_itself_and_none_comes_twice(raw: str) -> None:
    found = readings(raw)
    assert raw not in found and len(set(found)) == len(found)


def test_a_digit_is_confused_one_at_a_time() -> None:
    assert all(sum(a != b for a, b in zip("27.4", other, strict=True)) == 1 for other in readings("27.4"))
