"""Opening the city's database: pragmas of SQLite, one writer at a time, tables and views."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

from kiosk.core.errors import OperatorError
from sync.receiver import care_tables as care_tables  # all of a city's tables are made together
from sync.receiver import command_table as command_table
from sync.receiver import lacking, point_tables, tables, timing
from sync.receiver.recognised import is_city, refuse_anothers, require_city
from sync.receiver.upgrade import is_current, upgrade
from sync.receiver.views import VIEWS, create_views

MODE = 0o640
"""Of a new SQLite file: it holds pseudonyms."""
BUSY_S = 20
"""How long one receiver waits for another's transaction."""
IDLE_S = 60
"""How long a transaction may stand still (PostgreSQL)."""
CONNECT_S = 10
"""How long a connection may take (PostgreSQL)."""
MAKING = 0x6B696F736B
"""The advisory lock of whoever makes tables and views: ``kiosk``."""


@contextmanager
def opened(url: str, *, serving: bool = False) -> Iterator[sa.Engine]:
    """The database while the block lasts; see ``open_database``."""
    engine = open_database(url, serving=serving)
    try:
        yield engine
    finally:
        engine.dispose()


def open_database(url: str, *, serving: bool = False) -> sa.Engine:
    """The engine for a SQLAlchemy URL, its tables made; OperatorError when that cannot be.

    ``serving``: a receiver starts, so the views become those of this version.
    """
    with _usable():
        engine = _engine(url)
        if engine.dialect.name == "sqlite":
            _make_private(database_file(url))
            refuse_anothers(engine)
            _prepare_sqlite(engine)
        elif engine.dialect.name == "postgresql":
            _prepare_postgresql(engine)
        if serving or not _is_whole(engine):
            _make(engine, serving=serving)
    return engine


def _is_whole(engine: sa.Engine) -> bool:
    """Whether there is nothing to make: who only looks then waits for nobody who writes."""
    with reading(engine) as connection:
        if not is_current(connection, point_tables.metadata):
            return False
        views = set(sa.inspect(connection).get_view_names())
        begun = connection.scalar(sa.select(sa.func.max(tables.epoch.c.number)))
        return VIEWS.keys() <= views and begun is not None


def _make(engine: sa.Engine, *, serving: bool) -> None:
    with engine.begin() as connection:
        _alone(connection)
        point_tables.metadata.create_all(connection)
        upgraded = upgrade(connection)
        if serving:
            timing.learn_all(connection)
            lacking.note_again(connection)
        if serving or upgraded or not VIEWS.keys() <= set(sa.inspect(connection).get_view_names()):
            create_views(connection)
        if connection.scalar(sa.select(sa.func.max(tables.epoch.c.number))) is None:
            connection.execute(tables.epoch.insert().values(number=1, began_ms=utc_ms()))


@contextmanager
def _usable() -> Iterator[None]:
    """OperatorError for whatever stands in the way of a database's opening."""
    try:
        yield
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise _bad_url(error) from error
    except (DBAPIError, OSError) as error:
        why = error.orig if isinstance(error, DBAPIError) else error.strerror
        raise OperatorError(
            "database_unusable",
            f"The database cannot be opened ({why}).",
            "Check the URL, the folder and who may write there.",
        ) from error


def _engine(url: str) -> sa.Engine:
    options: dict[str, Any] = {}
    if sa.make_url(url).get_backend_name() == "postgresql":
        # A server that is gone without a word (a cable, a firewall) is noticed within a minute.
        options["isolation_level"] = "READ COMMITTED"
        options["connect_args"] = {
            "connect_timeout": CONNECT_S,
            "keepalives_idle": 20,
            "keepalives_interval": 10,
            "keepalives_count": 3,
            "tcp_user_timeout": 40_000,
        }
    return sa.create_engine(url, **options)


def require_database(url: str) -> None:
    """OperatorError where no city's database is there: looking into nothing must not make one."""
    file = database_file(url)
    if file is not None and not file.exists():
        raise OperatorError(
            "no_database",
            f"There is no database {file}.",
            "Correct the URL; the receiver makes a new one when it first runs.",
        )
    with _usable():
        require_city(_engine(url))


def is_begun(url: str) -> bool:
    """Whether a city's tables are there; nothing is made by looking. OperatorError for a file of another
    program's."""
    file = database_file(url)
    if file is not None and not file.exists():
        return False
    with _usable():
        engine = _engine(url)
        if file is not None:
            refuse_anothers(engine)
        return is_city(engine)


def reading(engine: sa.Engine) -> sa.Connection:
    """A connection that sees one moment of the database and keeps no receiver waiting."""
    options: dict[str, Any] = {"reading": True}
    if engine.dialect.name == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    return engine.execution_options(**options).connect()


@contextmanager
def looking(url: str) -> Iterator[sa.Connection]:
    """``reading`` a city's database that is there, for commands that only look."""
    require_database(url)
    with opened(url) as engine, reading(engine) as connection:
        yield connection


def database_file(url: str) -> Path | None:
    """The file of an SQLite URL, None for other databases and one in memory; OperatorError for no URL at
    all, and where SQLite is to take a URI: that may name any file, in ways only SQLite knows."""
    try:
        parsed = sa.make_url(url)
    except ArgumentError as error:
        raise _bad_url(error) from error
    name = parsed.database or ":memory:"
    if parsed.get_backend_name() != "sqlite":
        return None
    if "uri" in parsed.query:
        raise OperatorError(
            "database_url",
            "An SQLite database is named by its file here, not by a URI.",
            "Write it like sqlite:///city.db, without file: and uri=true.",
        )
    if name == ":memory:":
        return None
    return Path(name)


def utc_ms() -> int:
    """The receiver's wall clock."""
    return time.time_ns() // 1_000_000


def _bad_url(error: Exception) -> OperatorError:
    # Without the URL itself: it may hold a password.
    return OperatorError(
        "database_url",
        f"The database URL is not one that SQLAlchemy understands here ({error}).",
        "Write it like sqlite:///city.db, or install the driver that it names.",
    )


def _make_private(file: Path | None) -> None:
    """A new file is its owner's and group's alone, whatever the umask; -wal and -shm follow it."""
    if file is not None and not file.exists():
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, MODE))


def _prepare_sqlite(engine: sa.Engine) -> None:
    @sa.event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        # The driver's own BEGIN comes too late and is deferred: two receivers that both read and
        # then write would end in SQLITE_BUSY at once instead of waiting.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_S * 1000}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        reads = connection.get_execution_options().get("reading", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def _prepare_postgresql(engine: sa.Engine) -> None:
    @sa.event.listens_for(engine, "connect")
    def _connected(connection: Any, _record: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(_SESSION)
            encoding = connection.info.parameter_status("server_encoding")
        connection.commit()
        if encoding != "UTF8":
            raise OperatorError(
                "database_encoding",
                f"The database's encoding is {encoding}, which has no place for every name.",
                "Make it with: createdb --template=template0 --encoding=UTF8",
            )


_SESSION = f"""
SELECT set_config('client_encoding', 'UTF8', false),
    set_config('lock_timeout', '{BUSY_S}s', false),
    set_config('idle_in_transaction_session_timeout', '{IDLE_S}s', false),
    CASE WHEN current_setting('synchronous_commit') = 'off'
        THEN set_config('synchronous_commit', 'on', false) END
"""
"""An acknowledgement says committed: on the disk, whatever the server's usual is. And a receiver that
stands still in a transaction keeps the others from its ledgers no longer than IDLE_S."""


def _alone(connection: sa.Connection) -> None:
    """Of two receivers that make the same tables at once, one waits (SQLite's always do)."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(MAKING)))
