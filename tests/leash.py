"""Becomes another program that dies with the process that started it: `leash.py PARENT SIGNAL USER GROUP PROGRAM ARGUMENT...`

A program of its own instead of a `preexec_fn`: Python 3.12 warns, rightly, when a process with threads forks into Python code.
USER and GROUP are numbers; -1 keeps the caller's. Only Linux has the leash; elsewhere the program just runs.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, signal, user, group = map(int, sys.argv[1:5])
    if user >= 0:
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)
    if sys.platform == "linux":
        # After the change of user, which takes the leash off; and a parent that died before the leash was on sends nothing.
        if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl")
        if os.getppid() != parent:
            sys.exit("the parent is gone")
    os.execv(sys.argv[5], sys.argv[5:])


main()
