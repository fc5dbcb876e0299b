"""x"""

HELP = "x"


def add_arguments(parser): ...
def main(arguments):
    return 0
