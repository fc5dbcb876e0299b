"""The OCR engines, one file each, chosen by the file's name or by `module:Class`."""
