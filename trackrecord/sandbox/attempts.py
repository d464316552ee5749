"""What a probe under the wrapper tries in order to get out, and what came of each.

It is loaded by :mod:`trackrecord.sandbox.confine` from its path, before that restricts itself, and
runs where else the worker would: the same process, under the same rules. It uses system calls
themselves and not Python's functions wherever those would look at something first.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import platform
import resource
import socket
import struct
from collections.abc import Callable
from typing import Any

_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.syscall.restype = ctypes.c_long

_CALLS = {
    "x86_64": {"ptrace": 101, "mount": 165, "unshare": 272, "bpf": 321, "userfaultfd": 323,
               "process_vm_readv": 310, "io_uring_setup": 425, "keyctl": 250, "memfd_create": 319,
               "setuid": 105, "pidfd_open": 434, "perf_event_open": 298, "execveat": 322,
               "fork": 57, "clone": 56, "mprotect": 10, "add_key": 248},
    "aarch64": {"ptrace": 117, "mount": 40, "unshare": 97, "bpf": 280, "userfaultfd": 282,
                "process_vm_readv": 270, "io_uring_setup": 425, "keyctl": 219, "memfd_create": 279,
                "setuid": 146, "pidfd_open": 434, "perf_event_open": 241, "execveat": 281,
                "clone": 220, "mprotect": 226, "add_key": 217},
}  # fmt: skip
_PAGE = 4096


def _call(name: str, *arguments: Any) -> int:
    numbers = _CALLS.get(platform.machine(), {})
    if name not in numbers:
        raise NotImplementedError(f"no number of {name} for {platform.machine()}")
    result = _LIBC.syscall(ctypes.c_long(numbers[name]), *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return int(result)


def _open_read(target: dict[str, Any]) -> None:
    os.close(os.open(target["file"], os.O_RDONLY))


def _open_write(target: dict[str, Any]) -> None:
    os.close(os.open(target["new_file"], os.O_WRONLY | os.O_CREAT, 0o600))


def _list_folder(_target: dict[str, Any]) -> None:
    os.listdir("/")  # noqa: PTH208 - the call itself


def _read_environment(_target: dict[str, Any]) -> None:
    os.close(os.open("/proc/self/environ", os.O_RDONLY))


def _unlink(target: dict[str, Any]) -> None:
    os.unlink(target["victim"])  # noqa: PTH108 - the call itself


def _connect(target: dict[str, Any]) -> None:
    with socket.socket() as made:
        made.settimeout(1)
        made.connect(("127.0.0.1", target["port"]))


def _listen(_target: dict[str, Any]) -> None:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))


def _send_udp(target: dict[str, Any]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        made.sendto(b"probe", ("127.0.0.1", target["udp_port"]))


def _unix_socket(_target: dict[str, Any]) -> None:
    first, second = socket.socketpair()
    first.close()
    second.close()


def _execute(_target: dict[str, Any]) -> None:
    # Where it works nothing returns, so it is tried in a child if there may be one, else here.
    try:
        child = os.fork()
    except OSError:
        child = 0
        alone = True
    else:
        alone = False
    if child == 0:
        try:
            os.execve("/bin/true", ["true"], {})  # noqa: S606 - it must not start
        except OSError as error:
            if alone:
                raise
            os._exit(error.errno or 1)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code != 0:
        raise OSError(code, os.strerror(code))


def _execute_open(_target: dict[str, Any]) -> None:
    # The call that starts the worker, with a descriptor that is not the worker's: nothing starts
    # where the file cannot be opened either, so a wrong descriptor must be refused as such.
    try:
        _call("execveat", ctypes.c_int(0), b"", None, None, ctypes.c_int(0x1000))
    except OSError as error:
        if error.errno != errno.EPERM:
            raise RuntimeError(f"answered with {errno.errorcode[error.errno or 0]}") from None
        raise


def _fork(_target: dict[str, Any]) -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def _signal(target: dict[str, Any]) -> None:
    os.kill(target["host"], 0)


def _trace(target: dict[str, Any]) -> None:
    _call("ptrace", ctypes.c_long(16), ctypes.c_long(target["host"]), None, None)
    _call("ptrace", ctypes.c_long(17), ctypes.c_long(target["host"]), None, None)


def _read_memory(target: dict[str, Any]) -> None:
    buffer = ctypes.create_string_buffer(8)
    address = ctypes.addressof(buffer)
    ours = struct.pack("=QQ", address, 8)
    _call(
        "process_vm_readv", ctypes.c_long(target["host"]),
        ours, ctypes.c_ulong(1), ours, ctypes.c_ulong(1), ctypes.c_ulong(0),
    )  # fmt: skip


def _mount(_target: dict[str, Any]) -> None:
    _call("mount", b"none", b"/proc", b"tmpfs", ctypes.c_ulong(1 << 5), None)


def _namespace(_target: dict[str, Any]) -> None:
    _call("unshare", ctypes.c_int(0x10000000))


def _executable_memory(_target: dict[str, Any]) -> None:
    held = mmap.mmap(-1, _PAGE)
    address = ctypes.addressof(ctypes.c_char.from_buffer(held))
    _call("mprotect", ctypes.c_void_p(address), ctypes.c_size_t(_PAGE), ctypes.c_int(7))


def _kernel(name: str, *arguments: Any) -> Callable[[dict[str, Any]], None]:
    def tried(_target: dict[str, Any]) -> None:
        _call(name, *arguments)

    return tried


def _own_limits(_target: dict[str, Any]) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    if hard == resource.RLIM_INFINITY:
        # Nothing was limited: there is nothing to raise.
        return
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (soft, hard + 1))
    except ValueError as error:  # what Python makes of EPERM here
        raise OSError(errno.EPERM, str(error)) from None


_LONG = ctypes.c_long
_ATTEMPTS: dict[str, tuple[str, Callable[[dict[str, Any]], None]]] = {
    "open": ("read a file", _open_read),
    "create": ("write a file", _open_write),
    "unlink": ("remove a file", _unlink),
    "list": ("list a folder", _list_folder),
    "environ": ("read the environment", _read_environment),
    "connect": ("connect to a server (TCP)", _connect),
    "listen": ("listen for connections", _listen),
    "udp": ("send a datagram (UDP)", _send_udp),
    "unix": ("make a local socket", _unix_socket),
    "fork": ("start a process", _fork),
    "execve": ("run a program", _execute),
    "execveat": ("run a program by descriptor", _execute_open),
    "kill": ("signal another process", _signal),
    "ptrace": ("trace another process", _trace),
    "memory": ("read another process's memory", _read_memory),
    "mount": ("mount a file system", _mount),
    "unshare": ("make a user namespace", _namespace),
    "mprotect": ("make memory executable", _executable_memory),
    "memfd": ("make a file in memory", _kernel("memfd_create", b"probe", ctypes.c_uint(0))),
    "bpf": ("load a kernel program", _kernel("bpf", _LONG(0), None, _LONG(0))),
    "io_uring": ("queue kernel work", _kernel("io_uring_setup", _LONG(1), b"\0" * 120)),
    "perf": ("measure the machine", _kernel("perf_event_open", b"\0" * 128, _LONG(0), _LONG(-1))),
    "keyring": ("use the key ring", _kernel("keyctl", _LONG(0), _LONG(-3), _LONG(1))),
    "limits": ("raise its own limits", _own_limits),
}

# What seccomp is asked about; where the kernel itself says no for other reasons nothing is shown.
_BY_FILTER = frozenset({"bpf", "io_uring", "perf", "keyring", "memfd", "mprotect", "unshare"})


def tried(specification: dict[str, Any], missing: dict[str, str]) -> dict[str, Any]:
    """Try everything, and tell what came of it.

    Args:
        specification: Of the wrapper; ``target`` has the files, ports and process to try on.
        missing: Layers that could not be had, and why.

    Returns:
        ``attempts``: name, what it was, ``refused`` and how; ``missing``; and what the process
        finds itself to be: its descriptors, environment, user and limits.
    """
    target = specification["target"]
    found = []
    for name, (words, attempt) in _ATTEMPTS.items():
        refused, how = False, "it worked"
        try:
            attempt(target)
        except OSError as error:
            refused, how = True, errno.errorcode.get(error.errno or 0, str(error))
        except NotImplementedError as error:
            refused, how = name not in _BY_FILTER, str(error)
        except Exception as error:  # noqa: BLE001 - a probe tells, whatever happens
            how = f"{type(error).__name__}: {error}"
        found.append({"attempt": name, "what": words, "refused": refused, "how": how})
    return {"attempts": found, "missing": missing, "process": _process()}


def _process() -> dict[str, Any]:
    descriptors = []
    for number in range(256):
        try:
            os.fstat(number)
        except OSError:
            continue
        descriptors.append(number)
    limits = {
        name: resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))[1]
        for name in ("AS", "FSIZE", "NOFILE", "CORE")
        if hasattr(resource, f"RLIMIT_{name}")
    }
    return {
        "descriptors": descriptors,
        "user": os.getuid(),
        "machine": platform.machine(),
        "limits": limits,
    }
