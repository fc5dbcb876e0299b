"""The parts of reading a PDF: words, trust, drawings, form fields, scans. For the rendering process only: they import PyMuPDF."""
