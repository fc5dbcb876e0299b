"""The labels engine on the heads of invoices and receipts: parties, the number beside the title, distractors."""

from __future__ import annotations

import pytest
from pydantic import BaseModel
from test_labels import page, value

from docpipe.extract.labels import read_layouts
from docpipe.fields import load_schema
from docpipe.records import Reading

Lines = tuple[tuple[float, float, str], ...]
SELLER = "Okafor Lamps Ltd"


def schema(name: str) -> type[BaseModel]:
    return load_schema(name)[0]


def read(*lines: tuple[float, float, str], name: str = "invoice") -> Reading:
    return read_layouts([page(*lines)], schema(name))


LETTER = (
    (50, 130, "Okafor Lamps Ltd - Harbour Lane 4 - 20457 Hamburg"),
    (50, 150, "Northern Ferries GmbH"),
    (50, 164, "Am Kai 12"),
    (50, 178, "24103 Kiel"),
    (50, 780, "Okafor Lamps Ltd"), (250, 780, "www.okafor-lamps.example"),
)  # fmt: skip


def test_addressee_and_sender_of_a_letter() -> None:
    reading = read(*LETTER)
    assert value(reading, "buyer.name") == "Northern Ferries GmbH"
    assert value(reading, "buyer.address") == "Am Kai 12, 24103 Kiel"
    assert value(reading, "seller.name") == SELLER
    assert value(reading, "seller.address") == "Harbour Lane 4, 20457 Hamburg"


def test_name_and_address_of_a_party_share_their_block() -> None:
    reading = read(*LETTER)
    blocks = {
        candidate.path: candidate.evidence.features["block"]
        for candidate in reversed(reading.candidates)
        if candidate.path.startswith("buyer.") and "block" in candidate.evidence.features
    }
    assert blocks["buyer.name"] == blocks["buyer.address"]


def test_headings_tell_the_parties_apart() -> None:
    reading = read(
        (50, 40, "INVOICE"),
        (50, 100, "From"), (220, 100, "Bill to"), (400, 100, "Ship to"),
        (50, 114, SELLER), (220, 114, "Northern Ferries Inc"), (400, 114, "Warehouse Seven"),
        (50, 128, "4 Harbour Lane"), (220, 128, "12 Quay Street"), (400, 128, "9 Dock Road"),
        (50, 142, "Portland, OR 97201"), (220, 142, "Seattle, WA 98101"), (400, 142, "Tacoma, WA 98402"),
    )  # fmt: skip
    assert value(reading, "seller.name") == SELLER
    assert value(reading, "buyer.name") == "Northern Ferries Inc"
    assert value(reading, "buyer.address") == "12 Quay Street, Seattle, WA 98101"


def test_heading_before_an_address_of_no_known_form() -> None:
    reading = read((50, 100, "Bill to:"), (50, 114, "Desert Survey Office"), (50, 128, "Plot 9, Well Road"), (50, 142, "Third Oasis"))
    assert value(reading, "buyer.name") == "Desert Survey Office"


@pytest.mark.parametrize(
    "title",
    ["Invoice no. 2024-0817", "Invoice # 2024-0817", "Rechnung Nr. 2024-0817", "Facture n° 2024-0817", "Sales invoice (380) No. 2024-0817"],
)
def test_number_beside_the_title(title: str) -> None:
    reading = read((50, 60, title), (50, 90, "Customer no. 5512"), (50, 110, "Order no. 99120"), (400, 500, "1,250.00"))
    assert value(reading, "invoice_number") == "2024-0817"


def test_number_of_the_order_or_an_amount_is_no_invoice_number() -> None:
    reading = read((50, 90, "Customer no. 5512"), (50, 110, "Order no. 99120"), (50, 130, "Invoice total"), (200, 130, "1,250.00"))
    assert value(reading, "invoice_number") is None


def test_dates_keep_to_their_labels() -> None:
    reading = read(
        (50, 60, "Invoice date: 2024-03-05"),
        (50, 80, "Order date: 2024-02-01"),
        (50, 100, "Due date: 2024-04-04"),
        (50, 120, "Printed 2024-05-01"),
    )
    assert value(reading, "issue_date") == "2024-03-05"
    assert value(reading, "due_date") == "2024-04-04"


def test_a_line_items_total_is_not_the_invoices() -> None:
    reading = read(
        (50, 200, "Description"), (250, 200, "Quantity"), (350, 200, "Price"), (450, 200, "Total"),
        (50, 220, "Lamp"), (250, 220, "2"), (350, 220, "40.00"), (450, 220, "80.00"),
        (50, 240, "Cord"), (250, 240, "1"), (350, 240, "20.00"), (450, 240, "20.00"),
        (350, 280, "Net total"), (450, 280, "100.00"),
        (350, 300, "VAT 20 %"), (450, 300, "20.00"),
        (350, 320, "Total"), (450, 320, "120.00"),
    )  # fmt: skip
    assert value(reading, "gross_total") == "120.00"
    assert value(reading, "net_total") == "100.00"


def test_tax_numbers_belong_to_the_party_that_their_label_names() -> None:
    reading = read(*LETTER, (50, 240, "Customer VAT no. FR40303265045"), (50, 800, "VAT no. DE136695976"))
    assert value(reading, "seller.tax_id") == "DE136695976"
    assert value(reading, "buyer.tax_id") == "FR40303265045"


def test_head_of_a_receipt() -> None:
    reading = read(
        (200, 40, "Okafor Lamps Sdn Bhd"),
        (200, 54, "(123456-X)"),
        (200, 68, "12, Jalan Harbour,"),
        (200, 82, "50450 Kuala Lumpur"),
        (200, 96, "Tel: 03-5555 1234"),
        (60, 130, "Date: 25/03/2018"),
        (60, 160, "Total"), (300, 160, "12.50"),
        (60, 180, "Cash"), (300, 180, "20.00"),
        (60, 200, "Change"), (300, 200, "7.50"),
        name="receipt",
    )  # fmt: skip
    assert value(reading, "merchant.name") == "Okafor Lamps Sdn Bhd"
    assert value(reading, "merchant.address") == "12, Jalan Harbour, 50450 Kuala Lumpur"
    assert value(reading, "date") == "2018-03-25"
    assert value(reading, "total") == "12.50"
