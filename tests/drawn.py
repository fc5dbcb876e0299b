"""Documents drawn for the tests of preprocessing, and the shortest way to put one through it."""

import io
from pathlib import Path

import cv2
import numpy as np
import pymupdf
from PIL import Image

from docpipe.limits import Limits
from docpipe.preprocess import identify, preprocess
from docpipe.records import Job, Page, ReadOptions, SchemaRef, Words
from docpipe.workspace import Workspace

SENTENCE = "The total amount of this invoice is to be paid by the date on the page"
LIMITS = Limits(page_seconds=15, document_seconds=15)


def make_job(path: Path, **options) -> Job:
    document = identify(path, formats=options.get("formats", ()))
    return Job(id="test", source=path, document=document, schema_ref=SchemaRef(name="test", sha256=""), options=ReadOptions(**options))


def pages_of(path: Path, limits: Limits = LIMITS, password: str | None = None, **options) -> tuple[Workspace, list[Page]]:
    space = Workspace(path.parent / f"work-{path.name}")
    return space, preprocess(make_job(path, **options), space=space, limits=limits, password=password)[1]


def only_page(path: Path, **options) -> tuple[Workspace, Page]:
    space, pages = pages_of(path, **options)
    assert len(pages) == 1
    return space, pages[0]


def layer(space: Workspace, number: int = 1) -> Words:
    return space.load(space.page(number, "layer.json"), Words)


def texts(space: Workspace, number: int = 1) -> list[str]:
    return [word.text for word in layer(space, number).words]


def image(space: Workspace, page: Page) -> np.ndarray:
    assert page.image is not None
    pixels = cv2.imread(str(space.path(page.image)), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    return pixels


def write_lines(page: pymupdf.Page, lines: int = 40, text: str = SENTENCE, **options) -> None:
    for line in range(lines):
        page.insert_text((50, 60 + 18 * line), f"{text} {line}", fontsize=11, **options)


def text_pdf(path: Path, pages: int = 1, lines: int = 40) -> Path:
    document = pymupdf.open()
    for _ in range(pages):
        write_lines(document.new_page(), lines)
    document.save(path)
    return path


def printed(dpi: int = 150, lines: int = 35, text: str = SENTENCE) -> np.ndarray:
    """A gray page of text, upright and clean."""
    document = pymupdf.open()
    write_lines(document.new_page(), lines, text)
    pixmap = document[0].get_pixmap(dpi=dpi, colorspace=pymupdf.csGRAY)
    return np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width).copy()


def leaning(pixels: np.ndarray, degrees: float) -> np.ndarray:
    """The page as a scanner sees it that it lies askew on: turned clockwise."""
    height, width = pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 1)
    return cv2.warpAffine(pixels, matrix, (width, height), borderValue=255)


def jpeg(pixels: np.ndarray) -> bytes:
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "JPEG", quality=85)
    return content.getvalue()


def scan_pdf(path: Path, pixels: np.ndarray, dpi: int = 150) -> Path:
    document = pymupdf.open()
    height, width = pixels.shape[:2]
    page = document.new_page(width=width * 72 / dpi, height=height * 72 / dpi)
    page.insert_image(page.rect, stream=jpeg(pixels))
    document.save(path)
    return path
