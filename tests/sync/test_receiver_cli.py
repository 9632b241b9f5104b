"""``kiosk-receiver`` as an operator meets it."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from hw_sim.postgres import Postgres
from sync_site import CITY, STATION, STATION_KEY, TOPIC, Book

from kiosk.core.errors import OperatorError
from sync.receiver import city_keys
from sync.receiver.arriving import Delivery
from sync.receiver.broker_url import parse_broker
from sync.receiver.cli import main
from sync.receiver.database import looking, opened
from sync.receiver.store import take

KEY = STATION_KEY.public_key.hex()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'city.db'}"


def call(*args: str) -> Result:
    return CliRunner().invoke(main, args)


def ask(*args: str) -> Any:
    result = call(*args, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_the_citys_key_is_made_beside_the_database_and_stays(url: str, tmp_path: Path) -> None:
    first = ask("key", "--database", url)["public_key"]
    assert call("key", "--database", url).stdout == first + "\n"
    assert stat.S_IMODE((tmp_path / "city.key").stat().st_mode) == 0o600


def test_no_key_is_made_by_a_mistyped_name(url: str, tmp_path: Path) -> None:
    made = call("key", "--database", url)
    assert f"A new key was made: {tmp_path / 'city.key'}" in made.stderr
    with opened(url) as engine, engine.begin() as connection:
        city_keys.hold(connection, bytes.fromhex(made.stdout))
    (tmp_path / "city.key").unlink()
    for words in ((), ("--key", str(tmp_path / "mistyped.key"))):
        refused = call("key", "--database", url, *words)
        assert refused.exit_code == 2 and "There is no key of the city" in refused.stderr
    assert not list(tmp_path.glob("*.key"))


def test_a_city_signs_with_one_key_until_somebody_says_another(url: str, tmp_path: Path) -> None:
    first = ask("key", "--database", url)["public_key"]
    with opened(url) as engine, engine.begin() as connection:
        city_keys.hold(connection, bytes.fromhex(first))
    new = ("--key", str(tmp_path / "new.key"))
    second = ask("key", "--database", url, *new, "--make")["public_key"]
    assert second != first
    assert call("key", "--database", url, *new, "--make").exit_code == 2, "there is one"
    calls = (
        ("run", "--broker", "mqtt://127.0.0.1:1"), ("key",), ("tariff", "sign", "--city", CITY),
        ("cards", "publish", "--city", CITY), ("command", STATION, "refresh", "--city", CITY),
    )  # fmt: skip
    for words in calls:
        refused = call(*words, "--database", url, *new)
        assert refused.exit_code == 2, words
        assert "which its stations believe" in refused.stderr, words
    assert ask("key", "--database", url, *new, "--replace")["public_key"] == second
    assert call("key", "--database", url).exit_code == 2, "the old one is nobody's now"
    assert ask("key", "--database", url, *new)["public_key"] == second


def test_asking_for_the_key_makes_no_tables_and_takes_no_other_programs_file(
    url: str, tmp_path: Path
) -> None:
    first = ask("key", "--database", url)["public_key"]
    assert not (tmp_path / "city.db").exists()
    (tmp_path / "city.db").touch()
    assert ask("key", "--database", url)["public_key"] == first
    (tmp_path / "city.key").unlink()
    assert ask("key", "--database", url, "--make")["public_key"] != first
    assert (tmp_path / "city.db").read_bytes() == b""
    before = of_photos(tmp_path / "city.db")
    assert refused("key", "--database", url) == "foreign_database"
    assert (tmp_path / "city.db").read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"city.db", "city.key"}


@pytest.mark.parametrize("args", [("key",), ("verify",), ("station", "list")], ids=" ".join)
def test_a_uri_in_place_of_a_file_is_refused(tmp_path: Path, args: tuple[str, ...]) -> None:
    for name in (f"file:{tmp_path}/city.db?uri=true", f"{tmp_path}/city.db?mode=rwc&uri=true"):
        assert refused(*args, "--database", f"sqlite:///{name}") == "database_url"
    assert list(tmp_path.iterdir()) == []


def test_whoever_signs_first_fixes_the_citys_key(url: str, tmp_path: Path) -> None:
    ask("station", "add", STATION, "--city", CITY, "--key", KEY, "--database", url)
    first = ask("key", "--database", url, "--make")["public_key"]
    other = ("--key", str(tmp_path / "other.key"))
    ask("key", "--database", url, *other, "--make")
    assert ask("cards", "list", "--city", CITY, "--database", url) == []
    (tmp_path / "export.jsonl").write_bytes(b"no export\n")
    export = ("import", str(tmp_path / "export.jsonl"), "--database", url)
    assert refused(*export) == "no_export", "nothing is signed, nothing is fixed"
    with looking(url) as connection:
        assert city_keys.held(connection) is None
    answering = (*export, "--answer", str(tmp_path))
    assert refused(*answering) == "no_export"
    assert refused(*answering, *other) == "other_city_key"
    assert (
        refused("cards", "publish", "--city", CITY, "--database", url, *other) == "other_city_key"
    )
    with looking(url) as connection:
        assert city_keys.held(connection) == bytes.fromhex(first)
    assert refused(*export, "--answer", "") == "wrong_call"


def test_looking_at_lists_waits_for_nobody_who_writes(url: str) -> None:
    ask("station", "add", STATION, "--city", CITY, "--key", KEY, "--database", url)
    with opened(url) as engine, engine.begin():
        assert ask("cards", "list", "--city", CITY, "--database", url) == []
        assert ask("station", "days", STATION, "--city", CITY, "--database", url)["closed"] == []


def test_a_list_is_never_signed_with_a_key_that_nobody_knows(url: str, tmp_path: Path) -> None:
    card = "ab" * 16
    ask("station", "add", STATION, "--city", CITY, "--key", KEY, "--database", url)
    ask("cards", "close", card, "--city", CITY, "--database", url)
    for key in ((), ("--key", str(tmp_path / "mistyped.key"))):
        refused = call("cards", "publish", "--city", CITY, "--database", url, *key)
        assert refused.exit_code != 0
        assert "There is no key of the city" in refused.stderr
    assert not list(tmp_path.glob("*.key"))


def test_a_station_is_registered_listed_and_revoked(url: str) -> None:
    ask("station", "add", STATION, "--city", CITY, "--key", KEY, "--database", url)
    ask("station", "add", STATION, "--city", CITY, "--key", KEY, "--database", url)
    (listed,) = ask("station", "list", "--database", url)
    assert (listed["station"], listed["public_key"], listed["revoked_ms"]) == (STATION, KEY, None)
    assert ask("station", "revoke", STATION, "--city", CITY, "--database", url)["revoked"] == 1
    (listed,) = ask("station", "list", "--database", url)
    assert listed["revoked_ms"] is not None
    assert "revoked" in call("station", "list", "--database", url).stdout


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("frob",), "wrong_call"),
        (("verify",), "wrong_call"),
        (("verify", "--database", "no URL"), "database_url"),
    ],
)
def test_a_refusal_is_two_sentences_or_one_value(args: tuple[str, ...], code: str) -> None:
    said = call(*args)
    assert (said.exit_code, said.stdout, said.stderr.count("\n")) == (2, "", 1)
    said = call(*args, "--json")
    assert (said.exit_code, said.stderr) == (2, "")
    error = json.loads(said.stdout)["error"]
    assert error["code"] == code and error["what"].endswith(".") and error["todo"].endswith(".")


def test_every_epoch_is_one_higher_and_begins_in_no_database_by_mistake(url: str) -> None:
    mistyped = call("epoch", "new", "--database", url)
    assert mistyped.exit_code == 2
    ask("station", "add", STATION, "--city", CITY, "--key", KEY, "--database", url)
    assert [ask("epoch", "new", "--database", url)["epoch"] for _ in range(2)] == [2, 3]


def test_verify_ends_with_1_when_something_was_changed(url: str) -> None:
    ask("station", "add", STATION, "--city", CITY, "--key", KEY, "--database", url)
    book = Book()
    book.weigh(3)
    with opened(url) as engine:
        take(engine, [Delivery(TOPIC, book.batch(0))], 0)
    (checked,) = ask("verify", "--database", url)
    assert (checked["entries"], checked["faults"]) == (4, [])
    with opened(url) as engine, engine.begin() as connection:
        connection.exec_driver_sql("UPDATE entry SET body = replace(body, '100', '900')")
    result = call("verify", "--database", url)
    assert result.exit_code == 1
    assert "at 2: digest" in result.stdout


def test_looking_into_a_database_that_is_not_there_makes_none(url: str, tmp_path: Path) -> None:
    assert call("verify", "--database", url).exit_code == 2
    assert list(tmp_path.iterdir()) == []
    ask("key", "--database", url)
    with opened(url):
        assert call("verify", "--database", url).output == "Nothing is stored here yet.\n"
    assert ask("verify", "--database", url) == []


LOOKING = (
    ("doctor",),
    ("verify",),
    ("station", "list"),
    ("station", "days", STATION, "--city", CITY),
    ("epoch", "new"),
    ("sink", "list"),
    ("command", "list"),
    ("cards", "list", "--city", CITY),
    ("points", "show", "--city", CITY),
    ("tariff", "show", "--city", CITY),
    ("import", "export.jsonl"),
)


@pytest.mark.parametrize("args", LOOKING, ids=" ".join)
def test_looking_into_an_empty_file_or_another_programs_changes_nothing(
    args: tuple[str, ...], url: str, tmp_path: Path
) -> None:
    (tmp_path / "city.db").touch()
    assert refused(*args, "--database", url) == "no_city_database"
    assert (tmp_path / "city.db").read_bytes() == b""
    before = of_photos(tmp_path / "city.db")
    assert refused(*args, "--database", url) == "no_city_database"
    assert (tmp_path / "city.db").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["city.db"]


@pytest.mark.parametrize("table", ["photo", "entry"])
def test_no_city_is_made_in_another_programs_file(url: str, tmp_path: Path, table: str) -> None:
    before = of_photos(tmp_path / "city.db", table)
    adding = ("station", "add", STATION, "--city", CITY, "--key", KEY, "--database", url)
    assert refused(*adding) == "foreign_database"
    assert (tmp_path / "city.db").read_bytes() == before


def refused(*args: str) -> str:
    said = call(*args, "--json")
    assert said.exit_code == 2, said.output
    code: str = json.loads(said.stdout)["error"]["code"]
    return code


def of_photos(file: Path, table: str = "photo") -> bytes:
    """What stands in an SQLite file of another program's."""
    with closing(sqlite3.connect(file)) as db:
        db.execute(f"CREATE TABLE {table} (name TEXT)")
        db.commit()
    return file.read_bytes()


def test_an_empty_database_of_a_server_stays_empty_where_somebody_only_looks(
    postgres: Postgres,
) -> None:
    url = postgres.schema("looked_at")
    assert refused("doctor", "--database", url) == "no_city_database"
    engine = sa.create_engine(url)
    assert sa.inspect(engine).get_table_names() == []
    engine.dispose()


def test_the_citys_database_is_no_business_of_other_users(url: str, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with opened(url) as engine, engine.begin() as connection:
            connection.exec_driver_sql("SELECT 1")
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    finally:
        os.umask(before)
    assert modes["city.db"] == 0o640
    assert all(mode & 0o007 == 0 for mode in modes.values()), modes


def test_verify_tells_of_a_fork_and_ends_well(url: str) -> None:
    ask("station", "add", STATION, "--city", CITY, "--key", KEY, "--database", url)
    book, twin = Book(), Book()
    book.weigh(3)
    twin.weigh(3, net_g=900)
    with opened(url) as engine:
        take(engine, [Delivery(TOPIC, book.batch(0)), Delivery(TOPIC, twin.batch(0))], 0)
    (checked,) = ask("verify", "--database", url)
    assert (checked["fork"], checked["faults"]) == (2, [])
    assert (
        "forked: another history was offered from 2 on" in call("verify", "--database", url).stdout
    )


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ("run --broker mqtt://h --database nonsense", "not one that SQLAlchemy understands"),
        ("run --broker mqtt://h --database sqlite:////none/here/city.db", "cannot be"),
        ("run --broker http://h --database URL", "broker URL"),
        ("run --broker mqtt://user:secret@h --database URL", "--password-file"),
        ("run --broker mqtt://h:x --database URL", "broker URL"),
        ("station add A --city demo --key 00 --database URL", "not an identifier"),
        ("station add a --city demo --key zz --database URL", "not hexadecimal"),
        ("station add a --city demo --key 00 --database URL", "64 hexadecimal digits"),
        (f"station add a --city demo --key {'00' * 32} --database URL", "anybody could sign"),
        (f"station add a --city demo --key {'ee' + 'ff' * 31} --database URL", "anybody could"),
        ("verify --database URL", "There is no database"),
        ("station list --database URL", "There is no database"),
        ("station revoke a --city demo --database URL", "No valid key"),
        ("verify --database postgresql+none://x/y", "not one that SQLAlchemy understands"),
        ("key --database sqlite://", "--key FILE"),
        ("verify", "Missing option"),
        ("station", "Usage"),
    ],
)
def test_a_wrong_call_ends_with_2_and_words_and_no_traceback(
    url: str, args: str, words: str
) -> None:
    result = call(*args.replace("URL", url).split())
    assert result.exit_code == 2
    assert words in result.output
    assert "Traceback" not in result.output
    assert "secret" not in result.output


def test_broker_urls() -> None:
    plain = parse_broker("mqtt://127.0.0.1:1884")
    assert (plain.host, plain.port, plain.ca_file, plain.username) == (
        "127.0.0.1", 1884, None, None,
    )  # fmt: skip
    tls = parse_broker("mqtts://city@broker.example")
    assert (tls.port, tls.username) == (8883, "city")
    assert tls.ca_file is not None
    with pytest.raises(OperatorError):
        parse_broker("broker.example")
