"""A real PostgreSQL server on a free port, in a directory of its own that is gone afterwards."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

PASSWORD = "s3cr:t/p%ss?w@rd"
PATIENCE = 60  # seconds for a server to start, and to end


@dataclass
class Server:
    programs: Path
    directory: Path
    user: dict[str, Any]  # whom the programs run as, in the words of subprocess
    port: int = field(init=False)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        password = self.directory / "password"
        password.write_text(PASSWORD)
        options = ["--username=trader", f"--pwfile={password}", "--auth=scram-sha-256"]
        self._run("initdb", "--no-sync", "--encoding=UTF8", "--locale=C", *options)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        place = [f"port = {self.port}", "listen_addresses = '127.0.0.1'", "unix_socket_directories = ''"]
        with (self.data / "postgresql.conf").open("a") as file:
            file.write("\n".join([*place, "fsync = off", ""]))

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @property
    def url(self) -> str:
        return self.url_of("trader", PASSWORD)

    def url_of(self, user: str, password: str, database: str = "postgres") -> str:
        return f"postgresql://{user}:{quote(password, safe='')}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """A child of this process, which ends with it, however it ends."""
        if self.process is not None:
            return
        with (self.directory / "log").open("ab") as log:
            command = [str(self.programs / "postgres"), "-D", str(self.data)]
            self.process = subprocess.Popen(
                command, cwd=self.directory, stdout=log, stderr=log, preexec_fn=_end_with_parent, **self.user
            )
        end = time.monotonic() + PATIENCE
        while not self._answers():
            assert self.process.poll() is None and time.monotonic() < end, (self.directory / "log").read_text()
            time.sleep(0.05)

    def stop(self, manner: str = "immediate") -> None:
        """`fast` tells the clients and keeps everything; `immediate` is a crash."""
        if self.process is None:
            return
        self.process.send_signal({"fast": signal.SIGINT, "immediate": signal.SIGQUIT}[manner])
        self.process.wait(PATIENCE)
        self.process = None

    def _answers(self) -> bool:
        import psycopg

        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def execute(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as database:
            cursor = database.execute(sql, values or None)
            return cursor.fetchall() if cursor.description else []

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self.programs / program), "-D", str(self.data), *arguments]
        done = subprocess.run(
            command, cwd=self.directory, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False, **self.user
        )
        assert done.returncode == 0, done.stderr.decode()


@contextmanager
def server(programs: Path) -> Iterator[Server]:
    # not below pytest's directory, which an unprivileged user may not enter
    with tempfile.TemporaryDirectory(prefix="marketsim-postgres-") as name:
        user: dict[str, Any] = {}
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            account = _unprivileged()
            os.chown(name, account.pw_uid, account.pw_gid)
            user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        running = Server(programs, Path(name), user)
        try:
            running.start()
            yield running
        finally:
            running.stop()


def _end_with_parent() -> None:
    """In the child: be told to quit when the parent is gone, where the system can (Linux)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, int(signal.SIGQUIT))  # PR_SET_PDEATHSIG


def binaries() -> Path | None:
    """The folder of the newest server that is installed."""
    found = shutil.which("initdb")
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return Path(found).resolve().parent if found else folders[-1].parent if folders else None


def _unprivileged() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")
