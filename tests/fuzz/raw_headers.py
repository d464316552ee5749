"""Messages whose header names are not text, which Python's client does not send but C's does."""

from __future__ import annotations

import ctypes
import re
from pathlib import Path

import confluent_kafka  # noqa: F401 - loads the library that is looked for

_NAME_SIZE = 512
_TOPIC, _VALUE, _KEY, _HEADERS, _END = 1, 4, 5, 10, 0


def library() -> Path | None:
    """The librdkafka that this process has loaded; None where it is not a file of its own."""
    maps = Path("/proc/self/maps")
    if not maps.exists():
        return None
    found = re.search(r"/\S*librdkafka\S*", maps.read_text())
    return Path(found.group()) if found else None


def send(
    servers: str, topic: str, key: bytes, value: bytes, headers: list[tuple[bytes, bytes]]
) -> None:
    """Send one message, and wait until the broker has it.

    Raises:
        AssertionError: It was not acknowledged within ten seconds.
    """
    path = library()
    assert path is not None
    lib = ctypes.CDLL(str(path))
    for name in ("conf_new", "new", "headers_new"):
        getattr(lib, f"rd_kafka_{name}").restype = ctypes.c_void_p
    error = ctypes.create_string_buffer(_NAME_SIZE)
    conf = ctypes.c_void_p(lib.rd_kafka_conf_new())
    lib.rd_kafka_conf_set(conf, b"bootstrap.servers", servers.encode(), error, _NAME_SIZE)
    producer = ctypes.c_void_p(lib.rd_kafka_new(0, conf, error, _NAME_SIZE))
    assert producer.value, error.value.decode()
    made = ctypes.c_void_p(lib.rd_kafka_headers_new(len(headers)))
    for name_of, content in headers:
        lib.rd_kafka_header_add(
            made,
            name_of,
            ctypes.c_ssize_t(len(name_of)),
            content,
            ctypes.c_ssize_t(len(content)),
        )
    failed = lib.rd_kafka_producev(
        producer,
        ctypes.c_int(_TOPIC), topic.encode(),
        ctypes.c_int(_KEY), key, ctypes.c_size_t(len(key)),
        ctypes.c_int(_VALUE), value, ctypes.c_size_t(len(value)),
        ctypes.c_int(_HEADERS), made,
        ctypes.c_int(_END),
    )  # fmt: skip
    assert failed == 0, failed
    assert lib.rd_kafka_flush(producer, 10_000) == 0
    lib.rd_kafka_destroy(producer)
