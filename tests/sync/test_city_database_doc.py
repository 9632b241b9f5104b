"""docs/city-database.md is what the database is: its columns, and its queries with what they find."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa
from hw_sim.postgres import Postgres
from sink_site import NOW_MS, a_day, new_city, set_clock, store_all
from sqlalchemy.exc import ProgrammingError
from sync_site import CITY, Book

PAGE = (Path(__file__).parents[2] / "docs/city-database.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"```sql\n(.*?)```", PAGE, re.S)
DAY = 20717
GIVEN = {"city": CITY, "first_day": DAY, "last_day": DAY + 30, "since_ms": NOW_MS + 1}

Row = tuple[object, ...]


def a_town(engine: sa.Engine) -> None:
    """A station's day; then its card is lost, and a new one begins without a clock."""
    old = Book()
    a_day(old)
    store_all(engine, old)
    found = {"ledger": old.ledger, "seq": old.head, "head": old.hashes[-1].hex()}
    new = Book(ledger="e3" * 16, continues=found, opening_g=45)
    new.weigh(2, net_g=30, at={"boot": "c1" * 16})
    new.add("item_count", item="can", bin="b2", visit=None, count=2 * 10**9)
    store_all(engine, new)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def both(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[sa.Engine]:
    """The town in either database; these tests only read."""
    url = f"sqlite:///{tmp_path_factory.mktemp('page') / 'city.db'}"
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        server.create("page")
        url = server.url("page")
    engine = new_city(url)
    a_town(engine)
    yield engine
    engine.dispose()


def rows(engine: sa.Engine, beginning: str) -> list[Row]:
    """What the page's query under the words ``beginning`` finds."""
    (query,) = re.findall(re.escape(beginning) + r".*?```sql\n(.*?)```", PAGE, re.S)
    with engine.connect() as connection:
        found = connection.execute(sa.text(query), GIVEN).all()
    return [tuple(float(v) if isinstance(v, Decimal) else v for v in row) for row in found]


def test_the_queries_find_what_happened(both: sa.Engine) -> None:
    hall = "hall-1"
    assert rows(both, "Kilograms of each item and day") == [
        (hall, DAY, "can", None, 0, 3, None),
        (hall, DAY, "pet-bottle", pytest.approx(0.4), 4, None, None),
    ]
    assert rows(both, "What could not be known") == [
        (hall, "can", None, 0, None, 1),
        (hall, "pet-bottle", pytest.approx(0.06), 2, None, 0),
    ]
    times = rows(both, "How good the times are")
    assert [row[:3] for row in times] == [(hall, "bounded", 2), (hall, "exact", 4)]
    assert times[0][3] is None
    assert rows(both, "What no resident brought") == [(hall, "b1", "drift", 1, -5)]
    ((*swap, from_ms, to_ms, time),) = rows(both, "Bags that went out")
    assert swap == [hall, "b1", "pet-bottle", "bag-1", pytest.approx(0.4)]
    assert time == "exact"
    assert isinstance(from_ms, int)
    assert isinstance(to_ms, int)
    assert 0 < to_ms - from_ms < 1000
    assert rows(both, "Stations of which nothing was stored") == [(hall, "e3" * 16, 4, NOW_MS)]
    assert rows(both, "Stations that somebody has to look at") == []
    assert rows(both, "What lay in bins") == [(hall, "b1", -5, 0, 45, 50)]


def test_a_station_that_is_refused_is_among_those_to_look_at(city: sa.Engine) -> None:
    a_town(city)
    with city.begin() as connection:
        connection.execute(sa.text("UPDATE station_key SET revoked_ms = 1"))
    ((station, _, fork, valid, *_),) = rows(city, "Stations that somebody has to look at")
    assert (station, fork, valid) == ("hall-1", None, 0)


def test_every_query_of_the_page_was_asked() -> None:
    assert len(QUERIES) == 8


def test_every_table_and_view_is_on_the_page_with_every_column(both: sa.Engine) -> None:
    told = {}
    for name, text in re.findall(r"### `(\w+)`\n(.*?)(?=\n##|\Z)", PAGE, re.S):
        cells = re.findall(r"^\| (`.*?) \|", text, re.M)
        told[name] = sorted(re.findall(r"`(\w+)`", " ".join(cells)))
    inspector = sa.inspect(both)
    there = {
        name: sorted(column["name"] for column in inspector.get_columns(name))
        for name in [*inspector.get_table_names(), *inspector.get_view_names()]
    }
    others = set(re.findall(r"`(\w+)`", PAGE.split("## Not for tools")[1]))
    open_to_tools = {name: columns for name, columns in there.items() if name not in others}
    assert {name: told.get(name) for name in open_to_tools} == open_to_tools


@pytest.mark.parametrize("both", ["postgresql"], indirect=True)
def test_the_role_for_tools_reads_days_and_nobodys_pseudonym(both: sa.Engine) -> None:
    (grants,) = re.findall(r"```sql postgresql\n(.*?)```", PAGE, re.S)
    with both.connect() as connection:
        for statement in grants.split(";"):
            if statement.strip():
                connection.execute(sa.text(statement))
        connection.execute(sa.text("SET LOCAL ROLE tools"))
        assert connection.execute(sa.text("SELECT count(*) FROM day_item")).scalar_one() == 4
        with pytest.raises(ProgrammingError, match="permission denied"):
            connection.execute(sa.text("SELECT * FROM seal"))


def test_a_days_number_becomes_a_date_as_the_page_says(both: sa.Engine) -> None:
    found = re.findall(r"`(date\(day .*?|DATE .*? AS integer\))`", PAGE, re.S)
    sqlite, postgresql = (" ".join(each.split()) for each in found)
    say = sqlite if both.dialect.name == "sqlite" else postgresql
    with both.connect() as connection:
        query = sa.text(f"SELECT DISTINCT {say} FROM day_item WHERE day IS NOT NULL")
        assert str(connection.execute(query).scalar_one()) == "2026-09-21"


def test_the_page_knows_what_a_clock_does(city: sa.Engine) -> None:
    """bounded becomes exact once the boot's clock is known."""
    book = Book(ledger="f4" * 16)
    book.weigh(1, at={"boot": "d2" * 16})
    store_all(city, book)
    query = sa.text("SELECT time FROM weighing_resolved WHERE ledger = :ledger")
    with city.connect() as connection:
        assert connection.execute(query, {"ledger": book.ledger}).scalar_one() == "bounded"
    set_clock(book)
    book.add(
        "clock", utc_ms=1_790_000_009_000, uncertainty_ms=50, source="ntp", at={"boot": "d2" * 16}
    )
    store_all(city, book, 2)
    with city.connect() as connection:
        assert connection.execute(query, {"ledger": book.ledger}).scalar_one() == "exact"
