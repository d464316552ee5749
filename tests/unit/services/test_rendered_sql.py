"""The SQL that stands under services/signal_tracker/sql is the SQL of the code."""

from __future__ import annotations

from pathlib import Path

from services.signal_tracker.store.rendered import STATEMENTS
from tools import sql

ROOT = Path(__file__).parents[3]


def test_the_files_are_what_the_code_says() -> None:
    assert sql.stale(ROOT / sql.DIRECTORY, sql.rendered()) == []


def test_nothing_but_white_space_differs_from_what_runs() -> None:
    for name, text in sql.rendered().items():
        body = [line for line in text.splitlines() if not line.startswith("-- ")]
        statement = STATEMENTS[name.removesuffix(".sql")]
        assert " ".join(body).split() == statement.sql.split(), name
        assert max(map(len, text.splitlines())) <= 100


def test_a_file_that_is_stale_is_named(tmp_path: Path) -> None:
    assert sql.main(["--out", str(tmp_path)]) == 0
    assert sql.main(["--out", str(tmp_path), "--check"]) == 0
    first, second, *_ = sorted(tmp_path.glob("*.sql"))
    first.unlink()
    second.write_text("SELECT 1")
    (tmp_path / "99_gone.sql").write_text("SELECT 1")
    words = sql.stale(tmp_path, sql.rendered())
    assert [line.split(": ")[1] for line in words] == [
        "missing", "differs from what runs", "no such statement, delete it",
    ]  # fmt: skip
    assert sql.main(["--out", str(tmp_path), "--check"]) == 1
