"""A Dask cluster on this machine: two processes of one thread each, on loopback."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from distributed import LocalCluster


@contextmanager
def dask_workers(workers: int = 2) -> Iterator[Any]:
    """Run a scheduler in this process, and workers beside it."""
    with LocalCluster(
        n_workers=workers,
        processes=True,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        # Workers that are ended say much that is no fault.
        silence_logs=logging.CRITICAL,
    ) as cluster:
        yield cluster
