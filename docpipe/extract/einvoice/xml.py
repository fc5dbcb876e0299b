"""An e-invoice's XML -> its texts by schema path. Knows hostile XML and the dialects, no schema and no value's form."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, cast

from lxml import etree

from docpipe.errors import DamagedError, TooLargeError, UnsupportedError
from docpipe.extract.einvoice.dialects import DIALECTS, Dialect, Lines, Places

MOST_BYTES = 64 * 1024 * 1024  # XRechnung allows attachments of 15 MB within the XML; far beyond that nothing is an invoice
PRICE_BASIS = "price_basis"
Element = Any  # lxml's element; the installed stubs lag behind it


def texts(content: bytes) -> Iterator[tuple[str, str]]:
    """`(path, text as written)` of every field the document gives, rows numbered from 0.

    A row's `unit_price` may be followed by its `price_basis`, the number of units it buys. Raises DamagedError for what is not
    well-formed or brings its own DTD, TooLargeError, and UnsupportedError for XML that is no invoice docpipe knows.
    """
    root = _root(content)
    dialect = DIALECTS.get(root.tag)
    if dialect is None:
        raise UnsupportedError(
            f"XML of an unknown kind: <{root.tag}>", hint="an e-invoice is CII (ZUGFeRD, Factur-X) or UBL Invoice or CreditNote"
        )
    yield from _found(root, dialect.fields)
    for path, place in dialect.addresses.items():
        if address := _address(root, place, dialect):
            yield path, address
    for name, lines in dialect.lines.items():
        for row, cells in enumerate(_rows(root, lines)):
            yield from ((f"{name}[{row}].{cell}", text) for cell, text in cells.items())


def _root(content: bytes) -> Element:
    """The document's root with every tag and attribute freed of its namespace; entities stay unread, a DTD is refused."""
    if len(content) > MOST_BYTES:
        raise TooLargeError(f"the e-invoice has {len(content)} bytes, at most {MOST_BYTES} are read")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(content.strip(), parser)
    except (etree.XMLSyntaxError, ValueError) as problem:
        raise DamagedError(f"the e-invoice is not well-formed XML: {problem}") from problem
    if root.getroottree().docinfo.internalDTD is not None:
        raise DamagedError("the e-invoice brings its own DTD, which no e-invoice has")
    for element in root.iter("*"):
        element.tag = etree.QName(element).localname
    return root


def _rows(root: Element, lines: Lines) -> Iterator[dict[str, str]]:
    for item in _select(lines.items)(root):
        cells = dict(_found(item, lines.fields))
        if any(name in cells for name in lines.needs):
            yield cells


def _found(element: Element, fields: dict[str, Places] | Any) -> Iterator[tuple[str, str]]:
    for path, places in fields.items():
        text = next((text for place in places for text in _texts(element, place)), None)
        if text is not None:
            yield path, text


def _address(root: Element, place: str, dialect: Dialect) -> str | None:
    """`street, postcode town`, as addresses are printed in one line."""
    for address in _select(place)(root):
        street = [text for part in dialect.street for text in _texts(address, part)]
        town = " ".join(text for part in dialect.town for text in _texts(address, part))
        if street or town:
            return ", ".join(filter(None, [*street, town]))
    return None


def _texts(element: Element, place: str) -> list[str]:
    """The non-empty texts at a place, blanks trimmed."""
    found = (str(node) if isinstance(node, str) else "".join(node.itertext()) for node in _select(place)(element))
    return [text.strip() for text in found if text.strip()]


@cache
def _select(place: str) -> Any:
    """A compiled XPath: element -> list of elements or attribute values."""
    return cast(Any, etree.XPath(place))
