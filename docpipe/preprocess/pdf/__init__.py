"""The parts of reading a PDF: words, trust, drawings, form fields, scans. They import pymupdf, so only the rendering process imports them."""
