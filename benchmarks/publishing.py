"""How fast ``trackrecord publish`` is, and in how much memory, for files of two sizes.

The command runs as a process: the time includes its start and imports, checking every line,
sending, and the acknowledgements of a real broker. Files hold signals and exits of 250 bytes each;
in ``numbers`` the prices are JSON numbers, the sides small letters, and the times written as
pandas does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Final

from benchmarks.harness import result, show
from benchmarks.pipeline.common import servers
from trackrecord.runtime import kafka
from trackrecord.runtime.settings import load_settings

SEED: Final = 7
SMALL, LARGE = 300_000, 2_000_000
ROUNDS: Final = 3
TOOL: Final = Path(sys.executable).with_name("trackrecord")
TARGET_PER_SECOND: Final = 20_000
TARGET_MB: Final = 200


def write(file: Path, count: int, *, numbers: bool = False) -> None:
    """Signals, each followed by its exit."""
    with file.open("w") as out:
        for number in range(count // 2):
            price = 100 + number % 5000 / 100
            at = f"2026-03-02T14:{number // 60 % 60:02}:{number % 60:02}Z"
            signal = {
                "signal_id": f"{file.stem}-{number:08}", "strategy": f"s{number % 40}",
                "symbol": f"SYM{number % 500}", "side": "buy" if numbers else "BUY",
                "price": price if numbers else f"{price:.2f}", "quantity": "10",
                "emitted_at": at.replace("T", " ").replace("Z", "+00:00") if numbers else at,
                "target_price": f"{price * 1.1:.2f}", "stop_loss": f"{price * 0.9:.2f}",
                "metadata": None, "timeframe": "1d",
            }  # fmt: skip
            exit_ = {
                "signal_id": signal["signal_id"], "exit_id": "x", "symbol": signal["symbol"],
                "price": price + 1 if numbers else f"{price + 1:.2f}", "reason": "target",
                "closed_at": at.replace("03-02", "03-03"), "fee": "0.35",
            }  # fmt: skip
            for name, data in (("signal_emitted", signal), ("signal_closed", exit_)):
                out.write(json.dumps({"type": name, "data": data}) + "\n")


def publish(file: Path, count: int, environ: dict[str, str]) -> dict[str, float]:
    """Run the command; events per second of the whole run, and its peak memory."""
    began = time.perf_counter()
    command = [str(TOOL), "publish", "--json", str(file)]
    process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE)
    with process.stdout or nullcontext() as out:
        answer = json.loads(out.read() if out else b"")
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if answer["published"] != count or process.returncode:
        raise RuntimeError(f"{answer['published']} of {count} events were published")
    return {
        "events": count,
        "seconds": round(seconds, 2),
        "events_per_second": round(count / seconds),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_mb": round(usage.ru_maxrss * 1024 / 1e6, 1),
    }


def measure(environ: dict[str, str]) -> dict[str, Any]:
    """Publish to the broker that ``environ`` names."""
    kafka.ensure_topics(load_settings(environ))
    runs: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as folder:
        files = {
            "text": (Path(folder) / "text.jsonl", SMALL, False),
            "numbers": (Path(folder) / "numbers.jsonl", SMALL, True),
            "large": (Path(folder) / "large.jsonl", LARGE, False),
        }
        for file, count, numbers in files.values():
            write(file, count, numbers=numbers)
        for _ in range(ROUNDS):
            for way, (file, count, _) in files.items():
                runs.append({"way": way, **publish(file, count, environ)})
                sys.stderr.write(f"{runs[-1]}\n")
    outcome = result("publishing", SEED, runs, "text", "events_per_second")
    median = outcome["median"]
    slowest = min(each["events_per_second"] for each in median.values())
    largest = max(each["peak_mb"] for each in median.values())
    outcome["targets"] = {
        "events_per_second": {
            "target": TARGET_PER_SECOND, "value": slowest, "met": slowest >= TARGET_PER_SECOND,
        },
        "peak_mb": {"target": TARGET_MB, "value": largest, "met": largest <= TARGET_MB},
    }  # fmt: skip
    return outcome


def run() -> dict[str, Any]:
    """Start a broker of its own, and publish to it."""
    with servers() as at:
        return measure(
            {
                **os.environ,
                "TRACKRECORD_KAFKA_BOOTSTRAP_SERVERS": at.broker,
                "DATABASE_URL": at.database_url,
            }
        )


if __name__ == "__main__":
    show("publishing", measure(dict(os.environ)))
