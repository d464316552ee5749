"""One PostgreSQL server for the local stack: on loopback TCP, with a password, durable."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg2
from psycopg2 import sql

from trackrecord.local.child import FOLDER_PATH, Program, User, run
from trackrecord.local.errors import StackFailed
from trackrecord.local.layout import HOST, Home, write_private

DATABASE = "trackrecord"
OWNER = "trackrecord"

# The server's own defaults for durability (fsync, synchronous_commit, full_page_writes)
# stand; they are spelled out because the guarantee of exactly-once effects rests on them.
_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
}


@dataclass(frozen=True)
class Postgres:
    """A server that is to run from a stack's home.

    As root the server runs as another account, for PostgreSQL refuses root. That account
    need not be able to reach the stack's home: the process opens its data folder while it
    is still root and then knows it as ``/proc/self/fd/3``, so a home under a folder such
    as ``/root`` works without opening any folder to anybody.

    Attributes:
        home: The stack's folder.
        binaries: Folder with ``postgres`` and ``initdb``.
        port: Where clients connect.
        user: Account to run as; this process's own by default.
    """

    home: Home
    binaries: Path
    port: int
    user: User | None = None

    @property
    def url(self) -> str:
        """The database's address, password included."""
        password = self.home.password.read_text(encoding="utf-8").strip()
        return f"postgresql://{OWNER}:{password}@{HOST}:{self.port}/{DATABASE}"

    def configure(self) -> None:
        """Create the cluster if it is new (about half a second).

        Raises:
            StackFailed: It could not be created, or was made by another major version.
        """
        cluster = self.home.data / "postgres"
        if cluster.exists():
            self._check_version(cluster)
            return
        write_private(self.home.password, secrets.token_urlsafe(24) + "\n")
        # Made beside its place and then renamed: a cluster that is there is whole.
        new = cluster.with_name("postgres.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        # The account that runs initdb may not be able to reach these by their paths, but
        # it can use what is its own and handed to it open.
        with (
            tempfile.TemporaryFile(dir=self.home.path) as password,
            _opened(new) as folder,
        ):
            password.write(self.home.password.read_bytes())
            password.seek(0)
            if self.user:
                os.chown(new, self.user.uid, self.user.gid)
                os.fchown(password.fileno(), self.user.uid, self.user.gid)
            own = Path(f"/proc/self/fd/{folder}")
            done = run(
                [
                    str(self.binaries / "initdb"),
                    f"--pgdata={own if self._by_descriptor else new}",
                    f"--username={OWNER}",
                    "--pwfile=/dev/stdin",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    "--locale=C",
                ],
                user=self.user,
                stdin=password,
                pass_fds=(folder,),
            )
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip()[-1500:]
            raise StackFailed(f"the database cluster could not be created in {new}:\n{said}")
        new.rename(cluster)

    def program(self) -> Program:
        """Say how to start it, once configured."""
        cluster = self.home.data / "postgres"
        settings = [f"--{name}={value}" for name, value in _SETTINGS.items()]
        return Program(
            name="postgres",
            argv=(
                str(self.binaries / "postgres"),
                "-D",
                str(FOLDER_PATH if self._by_descriptor else cluster),
                "-p",
                str(self.port),
                *settings,
            ),
            log=self.home.logs / "postgres.log",
            cwd=Path("/"),
            # "Fast": ends the sessions, writes a checkpoint. (SIGTERM would wait for
            # every client to leave by itself.)
            stop_signal=signal.SIGINT,
            user=self.user,
            folder=cluster if self._by_descriptor else None,
        )

    def create_database(self) -> None:
        """Create the database in the running server, unless it is there."""
        url = self.url.removesuffix(DATABASE) + "postgres"
        connection = psycopg2.connect(url, connect_timeout=5)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
                if cursor.fetchone() is None:
                    cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        finally:
            connection.close()

    def healthy(self) -> bool:
        """Ask it ``SELECT 1``; gives up after two seconds.

        Returns:
            True if it answered.
        """
        # Not our own database, which does not exist before the first start is through.
        url = self.url.removesuffix(DATABASE) + "postgres"
        with contextlib.suppress(psycopg2.Error):
            connection = psycopg2.connect(url, connect_timeout=2)
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT 1")
                    return cursor.fetchone() == (1,)
            finally:
                connection.close()
        return False

    @property
    def _by_descriptor(self) -> bool:
        return self.user is not None and Path("/proc/self/fd").exists()

    def _check_version(self, cluster: Path) -> None:
        made_by = (cluster / "PG_VERSION").read_text(encoding="utf-8").strip()
        told = run([str(self.binaries / "postgres"), "--version"], user=self.user)
        version = told.stdout.split()[2].split(".")[0]
        if version != made_by:
            raise StackFailed(
                f"the database in {self.home.path} was made by PostgreSQL {made_by}, and "
                f"{self.binaries} is version {version}; set TRACKRECORD_LOCAL_POSTGRES_BIN to a "
                f"folder with PostgreSQL {made_by}, or use another --home"
            )


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
