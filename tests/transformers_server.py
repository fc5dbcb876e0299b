"""`transformers serve` as it is, but for its processors, which docpipe loads: its own way to one needs torchvision.

python transformers_server.py FOLDER --port 8000
"""

import sys

from docpipe.backends._hf.library import transformers
from docpipe.backends._hf.processor import load_processor


def main() -> None:
    library = transformers()

    def from_pretrained(where, **how):
        return load_processor(where, library.AutoConfig.from_pretrained(where))

    library.AutoProcessor.from_pretrained = staticmethod(from_pretrained)
    from transformers.cli.transformers import main as run

    sys.argv = ["transformers", "serve", *sys.argv[1:]]
    run()


if __name__ == "__main__":
    main()
