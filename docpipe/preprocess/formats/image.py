"""Picture files, through Pillow: PNG, JPEG, TIFF (every page), WebP, BMP, GIF (first frame), HEIC. Knows sizes before decoding."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docpipe.errors import DamagedError, DocumentError, PageError, TooLargeError
from docpipe.preprocess.formats import Format
from docpipe.preprocess.sheet import Bounds, Raster, Sheet

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (0, b"II+\x00", "image/tiff"),
    (0, b"MM\x00+", "image/tiff"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"BM", "image/bmp"),
)
HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
READERS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP", "DIB", "GIF", "HEIF")
PLAUSIBLE_DPI = (70.0, 1200.0)
PLAUSIBLE_WIDTH = (100.0, 1700.0)  # points of a page: a till roll to A2
ASSUMED = (595.0, 842.0)  # points, where the file does not say how large it is: A4, but as long as it likes
ORIENTATION = 274
ROTATIONS = {3: 180, 4: 180, 5: 90, 6: 90, 7: 270, 8: 270}
REDUCED_COPY = 254
LOSSLESS = frozenset({"raw", "group3", "group4", "packbits", "tiff_lzw", "tiff_adobe_deflate"})


class Image(Format):
    """One open picture file."""

    @staticmethod
    def media_type(head: bytes) -> str | None:
        if head[4:8] == b"ftyp" and head[8:12] in HEIF_BRANDS:
            return "image/heic"
        for offset, magic, media_type in MAGIC:
            if head.startswith(magic, offset) and (media_type != "image/webp" or head.startswith(b"RIFF")):
                return media_type
        return None

    def __init__(self, path: Path, *, password: str | None, bounds: Bounds) -> None:
        self._bounds = bounds
        self._picture = _open(path, bounds.pixels)
        self._frames = self._page_frames()
        if len(self._frames) > bounds.pages:
            raise TooLargeError(f"{len(self._frames)} pages, the limit is {bounds.pages} (DOCPIPE_MAX_PAGES)")
        self._decoded: tuple[int, Picture] | None = None
        if len(self._frames) == 1:
            try:
                self._frame(1)
            except PageError as problem:
                raise DamagedError(problem.message) from problem

    @property
    def pages(self) -> int:
        return len(self._frames)

    def sheet(self, number: int) -> Sheet:
        picture = self._frame(number)
        dpi = _dpi(self._picture, picture)
        rotation = _rotation(self._picture)
        return Sheet(
            width=round(picture.width * 72 / dpi, 3), height=round(picture.height * 72 / dpi, 3), rotation=rotation, reason="picture"
        )

    def raster(self, number: int, *, dpi: float, turn: int) -> Raster:
        picture = self._frame(number)
        resolution = _dpi(self._picture, picture)
        further = (turn - _rotation(self._picture)) % 360
        if further:
            picture = picture.rotate(-further, expand=True)
        return Raster(picture.width, picture.height, len(picture.getbands()), picture.tobytes(), resolution)

    def copy_pages(self, numbers: Sequence[int], target: Path) -> None:
        """As a TIFF, packed as they were where that loses nothing."""
        from PIL.TiffImagePlugin import AppendingTiffWriter

        with AppendingTiffWriter(str(target), True) as file:
            for number in numbers:
                self._picture.seek(self._frames[number - 1])
                _check_size(self._picture, self._bounds.pixels)
                self._picture.load()
                self._picture.copy().save(file, format="TIFF", **_as_packed(self._picture))
                file.newFrame()

    def close(self) -> None:
        self._decoded = None
        self._picture.close()

    def _page_frames(self) -> list[int]:
        """The frames that are pages: all of a TIFF but reduced copies; of an animation or a picture with a preview only the first."""
        if self._picture.format != "TIFF":
            return [0]
        frames = []
        for index in range(min(int(getattr(self._picture, "n_frames", 1)), self._bounds.pages + 1)):
            self._picture.seek(index)
            if index == 0 or not int(self._picture.tag_v2.get(REDUCED_COPY, 0)) & 1:  # type: ignore[attr-defined]
                frames.append(index)
        return frames

    def _frame(self, number: int) -> Picture:
        """A page's picture, decoded, as the file says it is to be looked at: gray or RGB."""
        if self._decoded is None or self._decoded[0] != number:
            self._decoded = None
            self._decoded = number, self._decode(number)
        return self._decoded[1]

    def _decode(self, number: int) -> Picture:
        from PIL import ImageOps

        try:
            self._picture.seek(self._frames[number - 1])
            _check_size(self._picture, self._bounds.pixels)
            self._picture.load()
            return _squared(_as_bytes(ImageOps.exif_transpose(self._picture)), self._picture)
        except DocumentError as problem:
            raise PageError(problem.message, page=number) from problem
        except MemoryError:
            raise
        except Exception as problem:  # Pillow's readers raise whatever a broken file makes them trip over
            raise PageError(f"the picture cannot be decoded: {type(problem).__name__}: {problem}", page=number) from problem


def _as_packed(picture: Picture) -> dict[str, Any]:
    """How to write a page of a TIFF so that it says the same."""
    packed = str(picture.info.get("compression", ""))
    kept: dict[str, Any] = {"compression": packed if packed in LOSSLESS else "tiff_adobe_deflate"}
    if "dpi" in picture.info:
        kept["dpi"] = picture.info["dpi"]
    turned = picture.getexif().get(ORIENTATION, 1)
    return {**kept, "tiffinfo": {ORIENTATION: turned}} if turned != 1 else kept


def _open(path: Path, pixels: int) -> Picture:
    """The file with its header read, not decoded; raises DamagedError or TooLargeError."""
    import pillow_heif
    from PIL import Image as Pillow

    pillow_heif.register_heif_opener()
    Pillow.MAX_IMAGE_PIXELS = pixels
    warnings.simplefilter("error", Pillow.DecompressionBombWarning)
    try:
        picture = Pillow.open(path, formats=READERS)
    except (Pillow.DecompressionBombError, Pillow.DecompressionBombWarning) as problem:
        raise TooLargeError(f"more pixels than the limit of {pixels} (DOCPIPE_MAX_PIXELS)") from problem
    except MemoryError:
        raise
    except Exception as problem:
        raise DamagedError(f"the picture's header cannot be read: {type(problem).__name__}: {problem}") from problem
    _check_size(picture, pixels)
    return picture


def _check_size(picture: Picture, pixels: int) -> None:
    if picture.width * picture.height > pixels:
        raise TooLargeError(f"{picture.width} x {picture.height} pixels, the limit is {pixels} (DOCPIPE_MAX_PIXELS)")


def _rotation(picture: Picture) -> int:
    """The clockwise turn that the file asks for."""
    return ROTATIONS.get(picture.getexif().get(ORIENTATION, 1), 0)


def _resolution(picture: Picture) -> tuple[float, float]:
    """Dots per inch across and down as the file states them, 0 where it does not or it makes no sense."""
    try:
        across, down = (float(value) for value in picture.info.get("dpi", (0, 0)))
    except (TypeError, ValueError, ZeroDivisionError):
        return 0.0, 0.0
    low, high = PLAUSIBLE_DPI
    return (across, down) if low <= across <= high and low <= down <= high else (0.0, 0.0)


def _squared(picture: Picture, source: Picture) -> Picture:
    """A fax has fewer lines than columns to the inch: stretched, so that its pixels are square."""
    across, down = _resolution(source)
    if not across or 0.97 < across / down < 1.03 or not 1 / 3 < across / down < 3:
        return picture
    if _rotation(source) % 180:
        across, down = down, across
    finest = max(across, down)
    return picture.resize((round(picture.width * finest / across), round(picture.height * finest / down)))


def _dpi(source: Picture, picture: Picture) -> float:
    """Dots per inch of the decoded picture: the file's own where that makes a page of a sensible width, else one that does."""
    stated = max(_resolution(source))
    low, high = PLAUSIBLE_WIDTH
    if stated and low <= min(picture.size) * 72 / stated <= high:
        return stated
    across, down = (ASSUMED[0], ASSUMED[1] * 10) if picture.width <= picture.height else (ASSUMED[1], ASSUMED[0])
    return float(max(72.0, picture.width * 72 / across, picture.height * 72 / down))


def _as_bytes(picture: Picture) -> Picture:
    """Any mode -> 8 bit gray or RGB; what is transparent shows white paper."""
    if picture.mode in ("L", "RGB"):
        return picture if "transparency" not in picture.info else _on_white(picture.convert("RGBA"))
    if picture.mode == "1":
        return picture.convert("L")
    if picture.mode.startswith("I;16"):
        picture = picture.convert("I")
    if picture.mode in ("I", "F"):
        return _scaled(picture)
    if picture.mode in ("LA", "PA", "La", "RGBA", "RGBa") or "transparency" in picture.info:
        return _on_white(picture.convert("RGBA"))
    return picture.convert("L" if picture.mode == "P" and _is_gray_palette(picture) else "RGB")


def _is_gray_palette(picture: Picture) -> bool:
    palette = picture.getpalette() or []
    return palette[0::3] == palette[1::3] == palette[2::3]


def _on_white(picture: Picture) -> Picture:
    from PIL import Image as Pillow

    paper = Pillow.new("RGBA", picture.size, (255, 255, 255, 255))
    return Pillow.alpha_composite(paper, picture).convert("RGB")


def _scaled(picture: Picture) -> Picture:
    """Deep gray -> 8 bit: by the depth where the values fit one, else by the range they have."""
    extremes: Any = picture.getextrema()
    low, high = float(extremes[0]), float(extremes[1])
    if low >= 0 and 255 < high <= 65535:
        low, high = 0.0, 65535.0
    elif low >= 0 and high <= 255 and (high > 1 or picture.mode == "I"):
        low, high = 0.0, 255.0
    factor = 255 / (high - low) if high > low else 0.0
    return picture.convert("F").point(lambda value: value * factor - low * factor).convert("L")
