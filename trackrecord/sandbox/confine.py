"""Takes everything away from its own process, and becomes the program that it was told to start.

It runs as a script (``python -I -S confine.py SPECIFICATION ARGUMENTS``), needs the standard
library only and nothing of this package, so that it starts in a few milliseconds and what it holds
when it restricts itself is little. What it does, in this order:

* descriptors but 0 to 2 are closed;
* limits on memory, files and core dumps; no privileges, not even those of root;
* Landlock: the file system is gone but for the program and the libraries it is linked with, and
  so are TCP and signals to others (`landlock(7)`, ABI 1 to 7);
* seccomp: only the system calls of the list below are answered (`seccomp(2)`), by numbers of
  x86-64 or arm64; starting a program is not among them;
* the program starts from an open descriptor that cannot come back, without an environment.

With ``"probe"`` in place of a program it stays what it is, tries to get out, and prints what came
of it: see :mod:`trackrecord.sandbox.attempts`. That is why a report can say what was found.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import resource
import struct
import sys
from types import ModuleType
from typing import Any

# Exit codes of its own; anything else is the program's.
BAD_SPECIFICATION = 70
LAYER_MISSING = 71

# A descriptor above the limit on open files stays valid, and no call can make another there.
PROGRAM_DESCRIPTOR = 1_000
OPEN_FILES = 64

_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.syscall.restype = ctypes.c_long

# Numbers: linux/arch/x86/entry/syscalls/syscall_64.tbl, linux/include/uapi/asm-generic/unistd.h.
_ALLOWED = {
    "x86_64": {
        "read": 0, "write": 1, "close": 3, "fstat": 5, "poll": 7, "lseek": 8, "munmap": 11,
        "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "pread64": 17,
        "readv": 19, "writev": 20, "access": 21, "sched_yield": 24, "mremap": 25, "madvise": 28,
        "nanosleep": 35, "getpid": 39, "exit": 60, "getcwd": 79, "readlink": 89, "sigaltstack": 131,
        "arch_prctl": 158, "gettid": 186, "futex": 202, "sched_getaffinity": 204,
        "set_tid_address": 218, "restart_syscall": 219, "clock_gettime": 228,
        "clock_nanosleep": 230, "exit_group": 231, "newfstatat": 262, "ppoll": 271,
        "set_robust_list": 273, "getrandom": 318, "statx": 332, "rseq": 334, "faccessat2": 439,
    },
    "aarch64": {
        "getcwd": 17, "faccessat": 48, "close": 57, "lseek": 62, "read": 63, "write": 64,
        "readv": 65, "writev": 66, "pread64": 67, "ppoll": 73, "readlinkat": 78, "newfstatat": 79,
        "fstat": 80, "exit": 93, "exit_group": 94, "set_tid_address": 96, "futex": 98,
        "set_robust_list": 99, "nanosleep": 101, "clock_gettime": 113, "clock_nanosleep": 115,
        "sched_getaffinity": 123, "sched_yield": 124, "restart_syscall": 128, "sigaltstack": 132,
        "rt_sigaction": 134, "rt_sigprocmask": 135, "rt_sigreturn": 139, "getpid": 172,
        "gettid": 178, "brk": 214, "munmap": 215, "mremap": 216, "madvise": 233, "getrandom": 278,
        "statx": 291, "rseq": 293, "faccessat2": 439,
    },
}  # fmt: skip
# Allowed with some arguments only: see _filter.
_JUDGED = {
    "x86_64": {"mmap": 9, "mprotect": 10, "clone": 56, "prctl": 157, "tgkill": 234, "openat": 257,
               "prlimit64": 302, "execveat": 322, "clone3": 435},
    "aarch64": {"mmap": 222, "mprotect": 226, "clone": 220, "prctl": 167, "tgkill": 131,
                "openat": 56, "prlimit64": 261, "execveat": 281, "clone3": 435},
}  # fmt: skip
_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

_EPERM, _ENOSYS = 1, 38
_ALLOW = 0x7FFF0000
_KILL_PROCESS = 0x80000000
_ERRNO = 0x00050000

_PROT_WRITE_EXEC, _PROT_EXEC, _MAP_ANONYMOUS = 6, 4, 0x20
_CLONE_THREAD = 0x10000
_ANY_WRITING = 0o3 | 0o100 | 0o1000 | 0o2000 | 0o20000000  # access mode, creat, trunc, append, tmp
_PR_SET_NAME = 15
_AT_EMPTY_PATH = 0x1000
_NAMESPACES = 0x7E020080  # CLONE_NEW*: user, pid, net, ipc, uts, cgroup, mount, time

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 1, 4, 24, 38
_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 22, 2
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_LANDLOCK_VERSION = 1
_EXECUTE, _READ_FILE = 1 << 0, 1 << 2


class _Program:
    """A filter of classic BPF, put together with labels."""

    def __init__(self) -> None:
        self.lines: list[tuple[int, int, int, int]] = []

    def load(self, offset: int) -> None:
        self.lines.append((0x20, 0, 0, offset))

    def give(self, what: int) -> None:
        self.lines.append((0x06, 0, 0, what))

    def unless_equal(self, value: int, skip: int) -> None:
        self.lines.append((0x15, 0, skip, value))

    def if_any(self, bits: int, then: int, otherwise: int) -> None:
        self.lines.append((0x45, then, otherwise, bits))

    def if_at_least(self, value: int, then: int, otherwise: int) -> None:
        self.lines.append((0x35, then, otherwise, value))

    def packed(self) -> bytes:
        return b"".join(struct.pack("=HBBI", *line) for line in self.lines)


def _argument(number: int) -> int:
    """Where the low half of an argument stands in seccomp_data; both machines are little-endian."""
    return 16 + 8 * number


def _high(number: int) -> int:
    return _argument(number) + 4


def seccomp_filter(machine: str, process: int, otherwise: int) -> bytes:
    """The filter, as the kernel reads it.

    Args:
        machine: ``x86_64`` or ``aarch64``.
        process: Whose own signals are allowed (how a process aborts).
        otherwise: The answer to every call that is not on the list.
    """
    judged = _JUDGED[machine]
    program = _Program()
    program.load(4)
    program.unless_equal(_AUDIT_ARCH[machine], 1)
    program.lines.append((0x05, 0, 0, 1))
    program.give(_KILL_PROCESS)
    program.load(0)
    if machine == "x86_64":  # the x32 numbers are another table
        program.if_at_least(0x40000000, 0, 1)
        program.give(_KILL_PROCESS)
    for number in _ALLOWED[machine].values():
        program.unless_equal(number, 1)
        program.give(_ALLOW)

    def case(name: str, body: list[tuple[int, int, int, int]]) -> None:
        program.unless_equal(judged[name], len(body))
        program.lines.extend(body)

    allow, refuse = (0x06, 0, 0, _ALLOW), (0x06, 0, 0, otherwise)

    def load(offset: int) -> tuple[int, int, int, int]:
        return (0x20, 0, 0, offset)

    # Memory is either written or executed, and only files are executed.
    case("mmap", [
        load(_argument(2)), (0x45, 1, 0, _PROT_EXEC), allow,
        (0x45, 0, 1, _PROT_WRITE_EXEC & ~_PROT_EXEC), refuse,
        load(_argument(3)), (0x45, 0, 1, _MAP_ANONYMOUS), refuse, allow,
    ])  # fmt: skip
    case("mprotect", [load(_argument(2)), (0x45, 0, 1, _PROT_EXEC), refuse, allow])
    # Threads, no processes. clone3 hides its flags from a filter; libc then takes clone.
    case("clone", [
        load(_argument(0)), (0x45, 0, 2, _CLONE_THREAD), (0x45, 1, 0, _NAMESPACES), allow, refuse,
    ])  # fmt: skip
    case("clone3", [(0x06, 0, 0, _ERRNO | _ENOSYS)])
    case("prctl", [load(_argument(0)), (0x15, 0, 1, _PR_SET_NAME), allow, refuse])
    case("tgkill", [load(_argument(0)), (0x15, 0, 1, process), allow, refuse])
    case("openat", [load(_argument(2)), (0x45, 0, 1, _ANY_WRITING), refuse, allow])
    # Limits may be read, not set.
    case("prlimit64", [
        load(_argument(2)), (0x15, 0, 3, 0), load(_high(2)), (0x15, 0, 1, 0), allow, refuse,
    ])  # fmt: skip
    case("execveat", [
        load(_argument(0)), (0x15, 0, 3, PROGRAM_DESCRIPTOR),
        load(_argument(4)), (0x15, 0, 1, _AT_EMPTY_PATH), allow, refuse,
    ])  # fmt: skip
    program.give(otherwise)
    return program.packed()


def _prctl(*arguments: int) -> None:
    given = [ctypes.c_ulong(each) for each in (*arguments, 0, 0, 0, 0)[:5]]
    if _LIBC.prctl(*given) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def _syscall(number: int, *arguments: object) -> int:
    result = _LIBC.syscall(ctypes.c_long(number), *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return int(result)


def drop_privileges() -> None:
    """No capabilities, and none to be had by starting anything."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    for capability in range(64):
        try:
            _prctl(_PR_CAPBSET_DROP, capability)
        except OSError:  # not root, or there is no such capability
            break
    header = struct.pack("=Ii", 0x20080522, 0)  # version 3, this process
    _LIBC.capset(header, struct.pack("=6I", 0, 0, 0, 0, 0, 0))


def restrict_files(readable: list[str], program: str) -> None:
    """Landlock: what is named may be read, the program and its loader executed, nothing else.

    Raises:
        OSError: This kernel has it not, or has it switched off.
    """
    version = _syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint(_LANDLOCK_VERSION))
    rights = (1 << 13) - 1  # ABI 1
    for least, right in ((2, 13), (3, 14), (5, 15)):  # refer, truncate, ioctl on devices
        if version >= least:
            rights |= 1 << right
    attributes = struct.pack("=Q", rights)
    if version >= 4:  # noqa: PLR2004 - TCP: bind, connect
        attributes += struct.pack("=Q", 3)
    if version >= 6:  # noqa: PLR2004 - abstract sockets, signals
        attributes += struct.pack("=Q", 3)
    ruleset = _syscall(
        _LANDLOCK_CREATE, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint(0)
    )
    for path in [*readable, program]:
        executed = path == program or os.path.basename(path).startswith("ld-")  # noqa: PTH119
        try:
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue  # what is not there cannot be read
        rule = struct.pack("=Qi", _READ_FILE | (_EXECUTE if executed else 0), descriptor)
        _syscall(_LANDLOCK_ADD, ctypes.c_int(ruleset), ctypes.c_int(1), rule, ctypes.c_uint(0))
        os.close(descriptor)
    _syscall(_LANDLOCK_RESTRICT, ctypes.c_int(ruleset), ctypes.c_uint(0))
    os.close(ruleset)


def restrict_calls(*, kill: bool) -> None:
    """Seccomp: what is not on the list is refused, or ends the process.

    Raises:
        OSError: This kernel has it not, or the machine is of another kind.
    """
    machine = platform.machine()
    if machine not in _ALLOWED:
        raise OSError(_ENOSYS, f"no list of calls for {machine}")
    otherwise = _KILL_PROCESS if kill else _ERRNO | _EPERM
    code = seccomp_filter(machine, os.getpid(), otherwise)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("@HP", len(code) // 8, ctypes.addressof(buffer))
    held = ctypes.create_string_buffer(program, len(program))
    _prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(held))


def restrict(specification: dict[str, Any]) -> dict[str, str]:
    """Take all away that the specification names; says which layers could not be had, and why."""
    wanted = specification.get("layers", [])
    missing: dict[str, str] = {}
    if sys.platform == "linux":
        drop_privileges()
    _limit({**specification.get("limits", {}), "NOFILE": OPEN_FILES})
    for name in ("landlock", "seccomp"):
        if name not in wanted:
            continue
        try:
            if name == "landlock":
                restrict_files(specification["readable"], specification["program"])
            else:
                restrict_calls(kill=specification.get("forbidden") == "kill")
        except OSError as error:
            missing[name] = str(error)
    return missing


def _limit(specification: dict[str, int]) -> None:
    for name, wanted in specification.items():
        kind = getattr(resource, f"RLIMIT_{name}", None)
        if kind is None:
            continue
        hard = resource.getrlimit(kind)[1]
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(kind, (most, most))


def _load(path: str) -> ModuleType:
    """A module by its path, for the path of modules is empty here."""
    module = ModuleType("attempts")
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - pathlib is slow to import
        exec(compile(file.read(), path, "exec"), module.__dict__)  # noqa: S102 - of this package
    return module


def main(arguments: list[str]) -> int:
    """Restrict this process by a specification, then become the program or try to get out."""
    try:
        specification = json.loads(arguments[0])
        program = specification["program"]
    except (IndexError, KeyError, TypeError, ValueError):
        return BAD_SPECIFICATION
    # Before the file system is gone.
    attempts = _load(specification["probe"]) if "probe" in specification else None
    os.closerange(3, 65_536)
    if attempts is None:
        opened = os.open(program, os.O_RDONLY | os.O_CLOEXEC)
        os.dup2(opened, PROGRAM_DESCRIPTOR, inheritable=False)
        os.close(opened)
    os.chdir("/")
    missing = restrict(specification)
    if attempts is not None:
        text = json.dumps(attempts.tried(specification, missing)).encode()
        os.write(1, text + b"\n")
        os._exit(0)
    if missing:
        # What the probe found is there; a worker without it must not start.
        return LAYER_MISSING
    if sys.platform != "linux":
        os.execve(program, ["monty", *arguments[1:]], {})  # noqa: S606 - no shell is wanted
    _become(program, arguments[1:])
    return LAYER_MISSING


def _become(program: str, arguments: list[str]) -> None:
    """Execveat of the descriptor, which the filter lets pass once."""
    values = [b"monty", *(each.encode() for each in arguments)]
    argv = (ctypes.c_char_p * (len(values) + 1))(*values, None)
    envp = (ctypes.c_char_p * 1)(None)
    number = _JUDGED.get(platform.machine(), {}).get("execveat")
    if number is None:
        os.execve(program, ["monty", *arguments], {})  # noqa: S606 - no shell is wanted
        return
    _LIBC.syscall(
        ctypes.c_long(number),
        ctypes.c_int(PROGRAM_DESCRIPTOR),
        b"",
        argv,
        envp,
        ctypes.c_int(_AT_EMPTY_PATH),
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
