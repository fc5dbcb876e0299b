"""What scanners, fax machines and phones do to a sheet of paper. Every random draw comes from a generator with a fixed seed."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pymupdf
from PIL import Image

Pixels = np.ndarray


def render(document: pymupdf.Document, dpi: int = 200) -> list[Pixels]:
    """Each page as a gray image."""
    images = []
    for page in document:
        pixmap = page.get_pixmap(dpi=dpi, colorspace=pymupdf.csGRAY)
        images.append(np.frombuffer(pixmap.samples, np.uint8).reshape(pixmap.height, pixmap.width).copy())
    return images


def scan(image: Pixels, *, angle: float, seed: int) -> Pixels:
    """A sheet that lay askew on the glass: turned by `angle` degrees, a little soft, noisy, darker to one side."""
    height, width = image.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    turned = cv2.warpAffine(image, turn, (width, height), flags=cv2.INTER_CUBIC, borderValue=255)
    soft = cv2.GaussianBlur(turned, (0, 0), 0.7).astype(np.float32)
    shade = np.linspace(0.94, 1.0, width, dtype=np.float32)[None, :]
    grain = cv2.GaussianBlur(np.random.default_rng(seed).normal(0, 9, image.shape).astype(np.float32), (0, 0), 0.8)
    return np.clip(soft * shade * 0.93 + 12 + grain, 0, 255).astype(np.uint8)


def photograph(image: Pixels, *, seed: int) -> Pixels:
    """A slip of paper on a table, seen from a slightly wrong angle under a lamp; in colour."""
    height, width = image.shape
    margin_x, margin_y = width // 7, height // 12
    size = (width + 2 * margin_x, height + 2 * margin_y)
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    shifts = np.array([[0.020, 0.012], [-0.012, 0.0], [0.0, -0.010], [-0.018, 0.006]], np.float32)
    bent = corners + shifts * np.array([width, height], np.float32)
    view = cv2.getPerspectiveTransform(corners, bent + np.array([margin_x, margin_y], np.float32))
    random = np.random.default_rng(seed)
    grain = cv2.GaussianBlur(random.normal(0, 18, (size[1], size[0])).astype(np.float32), (0, 0), 9)
    table = np.stack([70 + grain, 92 + grain, 118 + grain], axis=-1)
    paper = cv2.warpPerspective(cv2.merge([image] * 3), view, size, flags=cv2.INTER_AREA).astype(np.float32)
    inside = cv2.warpPerspective(np.ones_like(image), view, size).astype(np.float32)[..., None]
    scene = table * (1 - inside) + paper * np.array([0.90, 0.95, 0.97], np.float32) * inside
    y, x = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float32)
    lamp = 1.04 - 0.34 * (((x / size[0] - 0.35) ** 2) + ((y / size[1] - 0.3) ** 2))
    noise = random.normal(0, 3.5, scene.shape)
    return np.clip(cv2.GaussianBlur(scene * lamp[..., None], (0, 0), 0.6) + noise, 0, 255).astype(np.uint8)


def jpeg(image: Pixels, quality: int) -> bytes:
    """A JPEG file."""
    done, content = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise RuntimeError("OpenCV could not write a JPEG")
    return content.tobytes()


def scanned_pdf(images: list[Pixels], *, dpi: int = 200, quality: int = 50) -> pymupdf.Document:
    """A PDF whose every page is one JPEG, as scanners make them."""
    document = pymupdf.open()
    for image in images:
        height, width = image.shape[:2]
        page = document.new_page(width=width * 72 / dpi, height=height * 72 / dpi)
        page.insert_image(page.rect, stream=jpeg(image, quality))
    return document


def fax(images: list[Pixels], *, dpi: int = 200) -> bytes:
    """A multi-page TIFF in black and white, as fax servers make them."""
    pages = [Image.fromarray(image).point(lambda level: 255 if level > 150 else 0, mode="1") for image in images]
    target = io.BytesIO()
    pages[0].save(target, "TIFF", save_all=True, append_images=pages[1:], compression="group4", dpi=(dpi, dpi))
    return target.getvalue()
