"""A Korean tax invoice (세금계산서) on the statutory grid: supplier left, recipient right, the same labels on both sides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pymupdf
from invoices import Item
from paper import Sheet

APPROVAL = "20250715-10240731-55821907"
ISSUED = ("2025-07-15", "2025/07/15")
_LEFT, _MIDDLE, _RIGHT = 40.0, 297.0, 555.0


@dataclass(frozen=True)
class Company:
    """One side of the form."""

    registration_number: str
    name: str
    representative: str
    address: str
    business_type: str
    business_item: str
    email: str

    def expected(self) -> dict[str, Any]:
        return dict(vars(self))


SUPPLIER = Company(
    "214-86-07310", "한들기계 주식회사", "김도현", "경기도 안산시 단원구 해봉로 212", "제조업", "산업용 펌프", "sales@handeul.example"
)
RECIPIENT = Company(
    "305-81-49265", "새봄식품 주식회사", "이서연", "대전광역시 유성구 노은로 87", "도매업", "가공식품", "buy@saebom.example"
)
ITEMS = (
    ("원심 펌프", "CP-40", "2", "1250000"),
    ("압력 게이지", "PG-10", "6", "48000"),
    ("배관 연결구", "25A", "30", "7500"),
)


def _items() -> list[tuple[Item, str, int]]:
    made = [(Item((name,), quantity, "", price, "10"), size) for name, size, quantity, price in ITEMS]
    return [(item, size, int(item.amount) // 10) for item, size in made]


def expected() -> dict[str, Any]:
    """The `data` of a right reading."""
    rows = _items()
    supply, tax = sum(int(item.amount) for item, _, _ in rows), sum(tax for _, _, tax in rows)
    return {
        "approval_number": APPROVAL,
        "issue_date": ISSUED[0],
        "supplier": SUPPLIER.expected(),
        "recipient": RECIPIENT.expected(),
        "items": [
            {
                "description": item.description[0],
                "specification": size,
                "quantity": item.quantity,
                "unit_price": item.unit_price,
                "amount": str(int(item.amount)),
                "tax": str(tax),
            }
            for item, size, tax in rows
        ],
        "supply_amount": str(supply),
        "tax": str(tax),
        "total": str(supply + tax),
        "note": None,
    }


def draw() -> pymupdf.Document:
    """The form."""
    document = pymupdf.open()
    sheet = Sheet(document, font="hangul")
    sheet.text(150, 72, "전자세금계산서", 20)
    sheet.box(_MIDDLE, 52, _RIGHT, 80)
    _cell(sheet, _MIDDLE, 52, 70, 28, "승인번호", label=True)
    _cell(sheet, _MIDDLE + 70, 52, _RIGHT - _MIDDLE - 70, 28, APPROVAL)
    _company(sheet, _LEFT, "공급자", SUPPLIER)
    _company(sheet, _MIDDLE, "공급받는자", RECIPIENT)
    _sums(sheet)
    _table(sheet)
    sheet.done()
    return document


def _cell(sheet: Sheet, x: float, y: float, width: float, height: float, text: str, *, label: bool = False) -> None:
    """A ruled cell: labels centred, values from the left."""
    sheet.box(x, y, x + width, y + height, 0.6)
    base = y + height / 2 + 3.4
    if label:
        sheet.text(x + width / 2, base, text, 9, align="center")
    else:
        sheet.text(x + 5, base, text, 9.5)


def _company(sheet: Sheet, x: float, side: str, company: Company) -> None:
    """A side's name runs down its left edge; four rows of cells stand beside it."""
    width = _MIDDLE - _LEFT
    top, height = 88.0, 30.0
    sheet.box(x, top, x + 20, top + 5 * height, 0.6)
    pitch = 5 * height / (len(side) + 1)
    for place, letter in enumerate(side, 1):
        sheet.text(x + 10, top + pitch * place + 4, letter, 10, align="center")
    rest = width - 20
    rows = (
        (("등록번호", company.registration_number, rest),),
        (("상호", company.name, rest * 0.58), ("성명", company.representative, rest * 0.42)),
        (("사업장 주소", company.address, rest),),
        (("업태", company.business_type, rest * 0.5), ("종목", company.business_item, rest * 0.5)),
        (("이메일", company.email, rest),),
    )
    for place, row in enumerate(rows):
        left = x + 20
        for label, value, space in row:
            head = 64 if space == rest else 36
            _cell(sheet, left, top + place * height, head, height, label, label=True)
            _cell(sheet, left + head, top + place * height, space - head, height, value)
            left += space


def _sums(sheet: Sheet) -> None:
    data = expected()
    cells = (("작성일자", ISSUED[1]), ("공급가액", f"{int(data['supply_amount']):,}"), ("세액", f"{int(data['tax']):,}"))
    width = (_RIGHT - _LEFT) / 3
    for place, (label, value) in enumerate(cells):
        _cell(sheet, _LEFT + place * width, 244, width, 20, label, label=True)
        _cell(sheet, _LEFT + place * width, 264, width, 24, value)
    _cell(sheet, _LEFT, 294, 90, 26, "합계금액", label=True)
    _cell(sheet, _LEFT + 90, 294, _RIGHT - _LEFT - 90, 26, f"{int(data['total']):,}")


def _table(sheet: Sheet) -> None:
    edges = (40, 82, 212, 272, 322, 396, 480, 555)
    titles = ("월일", "품목", "규격", "수량", "단가", "공급가액", "세액")
    for left, right, title in zip(edges[:-1], edges[1:], titles, strict=True):
        _cell(sheet, left, 328, right - left, 22, title, label=True)
    for place, (item, size, tax) in enumerate(_items(), 1):
        y = 328 + 22 * place
        amounts = (item.quantity, f"{int(item.unit_price):,}", f"{int(item.amount):,}", f"{tax:,}")
        for left, right, text in zip(edges, edges[1:4], ("07/15", item.description[0], size), strict=False):
            _cell(sheet, left, y, right - left, 22, text)
        for left, right, text in zip(edges[3:], edges[4:], amounts, strict=False):
            sheet.box(left, y, right, y + 22, 0.6)
            sheet.text(right - 5, y + 14.4, text, 9.5, align="right")
