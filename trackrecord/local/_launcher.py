"""Become another program, one that ends when the process that asked for it ends.

Run as a script (``python -I -S _launcher.py JSON PROGRAM ARGUMENT ...``) by
`trackrecord.local.child`, never imported by it: everything here happens in the
child, before the program replaces it. It keeps to the standard library and starts in
about 20 ms.
"""

import ctypes
import json
import os
import select
import signal
import sys

_PR_SET_PDEATHSIG = 1
_CANNOT_RUN = 127
_FOLDER_FD = 3


def _follow_by_kernel(stop_signal: int, parent: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, stop_signal, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    # The parent may have ended before the kernel was asked to tell us.
    if os.getppid() != parent:
        sys.exit(_CANNOT_RUN)


def _follow_by_pipe(stop_signal: int, pipe: int) -> None:
    """Leave a watcher behind: the pipe's other end closes when the parent ends."""
    program = os.getpid()
    if os.fork() != 0:
        os.close(pipe)
        return
    # Without the log files, which would otherwise stay open for as long as we watch.
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    while os.getppid() == program:
        if select.select([pipe], [], [], 0.5)[0]:
            if os.getppid() == program:
                os.kill(program, stop_signal)
            break
    os._exit(0)


def main() -> None:
    """Take the orders, drop privileges, tie this process to its parent, and exec."""
    orders = json.loads(sys.argv[1])
    program = sys.argv[2:]
    try:
        if orders["folder"] is not None:
            folder = os.open(orders["folder"], os.O_RDONLY | os.O_DIRECTORY)
            os.dup2(folder, _FOLDER_FD)
            # Said apart: where the two are the same already, dup2 changes nothing.
            os.set_inheritable(_FOLDER_FD, True)
        # Before the parent is followed: a change of user makes the kernel forget that.
        if orders["gid"] is not None:
            os.setgroups([])
            os.setgid(orders["gid"])
            os.setuid(orders["uid"])
        if orders["pipe"] is None:
            _follow_by_kernel(orders["stop_signal"], orders["parent"])
        else:
            _follow_by_pipe(orders["stop_signal"], orders["pipe"])
        # Python ignores SIGPIPE, and what is ignored stays ignored across exec.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.execvp(program[0], program)  # noqa: S606 - no shell is the point
    except OSError as error:
        sys.stderr.write(f"cannot start {program[0]}: {error}\n")
        sys.exit(_CANNOT_RUN)


if __name__ == "__main__":
    main()
