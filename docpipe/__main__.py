"""`python -m docpipe` is the command `docpipe`."""

from __future__ import annotations

import sys

from docpipe.cli import main

if __name__ == "__main__":
    sys.exit(main())
