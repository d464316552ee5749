"""The seccomp filters of both machines, run by an interpreter of BPF written from its definition.

What the kernel does with the filter of this machine the probe shows; arm64's is only looked at
here.
"""

from __future__ import annotations

import importlib.util
import struct
from types import ModuleType

import pytest

from trackrecord.sandbox.launch import CONFINE

ALLOW, KILL, REFUSE = 0x7FFF0000, 0x80000000, 0x00050001
NO_SUCH_CALL = 0x00050000 | 38
PID = 4242
# From the tables of the kernel, written down apart from those of the wrapper.
DANGEROUS = {
    "x86_64": {
        "open": 2, "socket": 41, "connect": 42, "sendto": 44, "bind": 49, "socketpair": 53,
        "fork": 57, "vfork": 58, "execve": 59, "kill": 62, "rename": 82, "unlink": 87,
        "ptrace": 101, "setuid": 105, "mount": 165, "tkill": 200, "io_setup": 206,
        "unlinkat": 263, "keyctl": 250, "unshare": 272, "splice": 275, "perf_event_open": 298,
        "setns": 308, "process_vm_readv": 310, "process_vm_writev": 311, "seccomp": 317,
        "memfd_create": 319, "bpf": 321, "userfaultfd": 323, "pidfd_open": 434, "openat2": 437,
        "io_uring_setup": 425, "pidfd_getfd": 438, "ioctl": 16, "dup": 32, "pipe2": 293,
    },
    "aarch64": {
        "ioctl": 29, "unlinkat": 35, "mount": 40, "dup": 23, "pipe2": 59, "splice": 76,
        "unshare": 97, "ptrace": 117, "kill": 129, "tkill": 130, "setuid": 146, "socket": 198,
        "socketpair": 199, "bind": 200, "connect": 203, "sendto": 206, "keyctl": 219,
        "execve": 221, "perf_event_open": 241, "setns": 268, "process_vm_readv": 270,
        "process_vm_writev": 271, "seccomp": 277, "memfd_create": 279, "bpf": 280,
        "userfaultfd": 282, "pidfd_open": 434, "openat2": 437, "io_uring_setup": 425,
        "pidfd_getfd": 438,
    },
}  # fmt: skip
NEEDED = {
    "x86_64": {"read": 0, "write": 1, "munmap": 11, "futex": 202, "exit_group": 231},
    "aarch64": {"read": 63, "write": 64, "munmap": 215, "futex": 98, "exit_group": 94},
}
JUDGED = {
    "x86_64": {"mmap": 9, "mprotect": 10, "clone": 56, "prctl": 157, "tgkill": 234, "openat": 257,
               "prlimit64": 302, "execveat": 322, "clone3": 435},
    "aarch64": {"mmap": 222, "mprotect": 226, "clone": 220, "prctl": 167, "tgkill": 131,
                "openat": 56, "prlimit64": 261, "execveat": 281, "clone3": 435},
}  # fmt: skip
ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}


@pytest.fixture(scope="module")
def confine() -> ModuleType:
    spec = importlib.util.spec_from_file_location("confine_under_test", CONFINE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def answer(code: bytes, call: int, architecture: int, *arguments: int) -> int:
    """What a filter gives for a call, by bpf(4) and linux/seccomp.h."""
    values = [each & (2**64 - 1) for each in (*arguments, 0, 0, 0, 0, 0, 0)[:6]]
    data = struct.pack("<IIQ6Q", call, architecture, 0, *values)
    lines = list(struct.iter_unpack("<HBBI", code))
    place, accumulator = 0, 0
    for _ in range(1_000):
        operation, then, otherwise, k = lines[place]
        place += 1
        if operation == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, k)
        elif operation == 0x06:
            return int(k)
        elif operation == 0x05:
            place += k
        else:
            holds = {
                0x15: accumulator == k, 0x35: accumulator >= k, 0x45: bool(accumulator & k),
            }[operation]  # fmt: skip
            place += then if holds else otherwise
    raise AssertionError("it does not end")


MACHINES = pytest.mark.parametrize("machine", ["x86_64", "aarch64"])


@MACHINES
def test_what_could_lead_out_is_refused_and_what_is_needed_is_not(
    confine: ModuleType, machine: str
) -> None:
    code = confine.seccomp_filter(machine, PID, REFUSE)
    ours = ARCHITECTURE[machine]
    for name, number in DANGEROUS[machine].items():
        assert answer(code, number, ours) == REFUSE, name
    for name, number in NEEDED[machine].items():
        assert answer(code, number, ours) == ALLOW, name
    allowed = {n for n in range(600) if answer(code, n, ours) == ALLOW}
    assert len(allowed) < 60


@MACHINES
def test_calls_of_another_machine_end_the_process(confine: ModuleType, machine: str) -> None:
    code = confine.seccomp_filter(machine, PID, REFUSE)
    other = next(value for name, value in ARCHITECTURE.items() if name != machine)
    assert answer(code, 0, other) == KILL
    assert answer(code, 0, 0x40000003) == KILL  # i386
    if machine == "x86_64":
        assert answer(code, 0x40000000 | 1, ARCHITECTURE[machine]) == KILL  # x32


@MACHINES
def test_arguments_are_judged(confine: ModuleType, machine: str) -> None:
    code = confine.seccomp_filter(machine, PID, REFUSE)
    numbers, ours = JUDGED[machine], ARCHITECTURE[machine]

    def given(name: str, *arguments: int) -> bool:
        found = answer(code, numbers[name], ours, *arguments)
        assert found in {ALLOW, REFUSE}
        return found == ALLOW

    assert given("mmap", 0, 4096, 3, 0x22)
    assert given("mmap", 0, 4096, 5, 0x02)  # a library
    assert not given("mmap", 0, 4096, 5, 0x22)  # executable, of no file
    assert not given("mmap", 0, 4096, 7, 0x02)
    assert not given("mmap", 0, 4096, 7, 0x22)
    assert given("mprotect", 0, 4096, 1)
    assert not given("mprotect", 0, 4096, 5)
    assert not given("mprotect", 0, 4096, 7)
    assert given("clone", 0x3D0F00)  # a thread, as glibc makes it
    assert not given("clone", 0x1200011)  # a process, as glibc makes it
    assert not given("clone", 17)
    assert not given("clone", 0x10000 | 0x10000000)  # a thread with a user namespace
    assert answer(code, numbers["clone3"], ours, 0, 88) == NO_SUCH_CALL
    assert given("prctl", 15)
    assert not given("prctl", 4, 1)
    assert not given("prctl", 22, 2)
    assert given("tgkill", PID, PID, 6)
    assert not given("tgkill", 1, 1, 9)
    assert given("openat", 2**64 - 100, 0, 0o2000000)
    for flags in (0o1, 0o2, 0o100, 0o1000, 0o2000, 0o20000000 | 0o2):
        assert not given("openat", 2**64 - 100, 0, flags), oct(flags)
    assert given("prlimit64", 0, 3, 0, 1)
    assert not given("prlimit64", 0, 3, 5, 0)
    assert not given("prlimit64", 0, 3, 5 << 32, 0)
    assert given("execveat", 1000, 0, 0, 0, 0x1000)
    assert not given("execveat", 3, 0, 0, 0, 0x1000)
    assert not given("execveat", 2**64 - 100, 0, 0, 0, 0)


@MACHINES
def test_it_can_kill_in_place_of_refusing(confine: ModuleType, machine: str) -> None:
    code = confine.seccomp_filter(machine, PID, KILL)
    for number in DANGEROUS[machine].values():
        assert answer(code, number, ARCHITECTURE[machine]) == KILL
