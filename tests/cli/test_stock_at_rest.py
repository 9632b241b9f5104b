"""The stock yard's papers, written down while the station does not run, and what is wrong with them."""

from __future__ import annotations

from contextlib import closing
from datetime import date

import pytest
from cli_site import Site

from kiosk import recording, settings
from kiosk.clock import StationClock
from kiosk.core.days import day_number
from kiosk.core.effects import Item
from kiosk.core.entries import BagSwap, Boot, Weighing
from kiosk.core.errors import OperatorError
from kiosk.ledger import hold
from kiosk.yard_desk import check_day


@pytest.fixture
def yard(site: Site) -> Site:
    """Two bags of bottles in the yard, one of cartons that nobody weighed, and a bottle in the bin."""
    given = settings.load(site.file)
    place = hold(given.paths.data)
    with closing(recording.open_ledger(given, StationClock("Asia/Tokyo"), place)) as ledger:
        gross_g = 0
        drafts: list[Boot | Weighing | BagSwap] = [Boot("test", "0" * 64)]
        for number, net_g in enumerate((4_000, 2_500, 30)):
            drafts.append(
                Weighing(
                    "b1", "pet-bottle", f"bag-{number}", f"v-{number}", net_g, gross_g,
                    gross_g + net_g, 10, 20, 1, "estimate", 1, 1, 0,
                )
            )  # fmt: skip
            if net_g > 100:
                drafts.append(BagSwap("b1", "pet-bottle", "a", "b", net_g, net_g, 0))
        drafts.append(BagSwap("b2", "carton", "c", "d", None, None, None))
        ledger.append([Item(draft) for draft in drafts])
    return site


def test_papers_are_written_down_while_the_station_does_not_run(yard: Site) -> None:
    said = yard.kiosk(
        "stock", "pickup", "pet-bottle", "--bags", "1", "--kg", "3.95", "--lang", "en"
    )
    assert (said.code, said.err) == (0, "")
    assert "PET bottle, 1 bags, 3.950 kg" in said.out
    sale = yard.kiosk("stock", "sale", "pet-bottle", "--kg", "3.95", "--yen", "120",
                      "--date", "2026-11-20", "--json").value  # fmt: skip
    item = yard.kiosk("stock", "list", "--json").value["items"]["pet-bottle"]
    assert (item["taken_in"]["g"], item["other_g"], item["bins_g"]) == (6_530, 0, 30)
    assert (item["stored"]["g"], item["picked"]["g"], item["told_g"]) == (2_500, 4_000, 3_950)
    assert (item["sold_g"], item["yen"]) == (3_950, 120)
    page = yard.kiosk("stock", "list", "--lang", "ja").out
    assert "2026-11-20" in page and "1袋 4.000 kg" in page and "120円" in page
    undone = yard.kiosk("stock", "undo", str(sale["seq"]), "--reason", "二重でした", "--json").value
    again = yard.kiosk(
        "stock", "undo", str(sale["seq"]), "--reason", "二重でした", "--lang", "easy"
    )
    assert again.code == 2 and f"{undone['seq']}" in again.err
    assert yard.kiosk("stock", "list", "--json").value["items"]["pet-bottle"]["yen"] == 0
    assert yard.kiosk("ledger", "verify").code == 0


def test_a_paper_of_a_day_that_has_not_come_is_refused_where_the_clock_is_known() -> None:
    today = day_number(date(2026, 11, 27))
    check_day("2026-11-27", today)
    check_day(None, today)
    check_day("2062-11-27", None)
    with pytest.raises(OperatorError, match="2062-11-27 has not come yet"):
        check_day("2062-11-27", today)


def test_what_nobody_weighed_is_counted_and_never_shown_as_nothing(yard: Site) -> None:
    (row,) = [
        line for line in yard.kiosk("stock", "list", "--lang", "en").out.splitlines() if "carton" in line
    ]  # fmt: skip
    assert "1 bags —" in row and "0.0" not in row.split("1 bags")[1]
    gone = yard.kiosk("stock", "pickup", "carton", "--bags", "3", "--lang", "en")
    assert gone.code == 0 and "The books know 1 bags. The other 2" in gone.out
    carton = yard.kiosk("stock", "list", "--json").value["items"]["carton"]
    assert (carton["beyond"], carton["picked"]) == (2, {"bags": 1, "unweighed": 1, "g": 0})
    none_left = yard.kiosk("stock", "pickup", "carton", "--json")
    assert (none_left.code, none_left.value["error"]["code"]) == (2, "no_bags")


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (("pickup", "gold"), "no_such_item"),
        (("sale", "carton", "--kg", "1", "--yen", "-3"), "wrong_call"),
        (("sale", "carton", "--kg", "0", "--yen", "3"), "wrong_call"),
        (("sale", "carton", "--yen", "3"), "wrong_call"),
        (("sale", "carton", "--kg", "1", "--yen", "3", "--date", "2026-02-30"), "wrong_call"),
        (("pickup", "pet-bottle", "--to", "a\u202eb"), "wrong_call"),
        (("pickup", "pet-bottle", "--to", "x" * 61), "wrong_call"),
        (("pickup", "pet-bottle", "--bags", "1001"), "wrong_call"),
        (("undo", "3", "--reason", "…"), "no_such_move"),
        (("undo", "3", "--reason", " "), "wrong_call"),
    ],
)
def test_a_slip_of_the_finger_is_told_and_nothing_is_written(
    yard: Site, call: tuple[str, ...], code: str
) -> None:
    before = yard.kiosk("ledger", "show", "--json", "--count", "1").value
    said = yard.kiosk("stock", *call, "--json")
    assert (said.code, said.value["error"]["code"]) == (2, code)
    assert yard.kiosk("ledger", "show", "--json", "--count", "1").value == before


def test_without_a_ledger_there_is_no_yard(site: Site) -> None:
    said = site.kiosk("stock", "list", "--json")
    assert (said.code, said.value["error"]["code"]) == (2, "no_ledger")
    assert site.kiosk("stock", "pickup", "carton", "--bags", "1").code == 2
    assert not (site.folder / "ledger.db").exists()
