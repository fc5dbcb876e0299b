"""How much of a document docpipe is willing to take on."""

from __future__ import annotations

from docpipe.records import Record


class Limits(Record):
    """Beyond `file_bytes` and `pages` the document is refused; beyond `pixels` a page is rendered smaller or, for an image file,
    refused before it is decoded. Deadlines in seconds, memory in bytes of the rendering process's address space. `patience` is how long a
    page waits for a model that is busy or away, where no queue waits for it."""

    file_bytes: int = 512 * 1024 * 1024
    pages: int = 5_000
    pixels: int = 50_000_000
    page_seconds: float = 20.0
    document_seconds: float = 30.0
    memory_bytes: int = 1536 * 1024**2
    patience: float = 300.0
