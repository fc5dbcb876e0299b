"""The commands, one file each: `HELP`, `add_arguments(parser)` and `main(arguments) -> exit code`.

Their modules import what they work with only when they run, so that `--help` stays quick.
"""
