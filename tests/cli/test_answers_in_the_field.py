"""What a caretaker answers from the command line to a real station, and a second station's start."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from field_station import KIOSK, FieldStation


def test_an_answer_says_what_was_written_or_that_nothing_was_to_be_done() -> None:
    with tempfile.TemporaryDirectory(prefix="kiosk") as folder, FieldStation(Path(folder)) as field:
        field.start()
        field.until_ready("b1")
        for call in ("bag swap b1", "scale zeroed b1", "scale zeroed b3"):
            said = subprocess.run(
                [KIOSK, *call.split(), "--config", field.settings, "--lang", "en"],
                capture_output=True,
                text=True,
                timeout=60,
            )
            assert (said.returncode, said.stderr) == (1, ""), call
            assert "nothing was written" in said.stdout
        answer = field.kiosk("bag", "swap", "b3", "--json")
        (entry,) = answer["written"]
        assert (entry["kind"], entry["bin"], entry["net_g"]) == ("bag_swap", "b3", None)
        shown = field.kiosk("ledger", "show", "--json", "--bin", "b3", "--count", "1")
        assert (shown["seq"], shown["new_bag"]) == (entry["seq"], entry["new_bag"])

        assert field.kiosk("close", "--reason", "点検中", "--json") == {
            "op": "close",
            "code": "done",
        }
        orders = field.kiosk("status", "--json")["orders"]
        assert (orders["closed"], orders["closed_by"]) == ({"ja": "点検中"}, "caretaker")
        (finding,) = field.kiosk("doctor", "orders", "--json")["findings"]
        assert finding["case"] == "closed_here" and "点検中" in finding["what"]
        field.kiosk("open", "--json")
        assert field.kiosk("status", "--json")["orders"]["closed"] is None

        # The bag that was changed lies in the yard, and a caretaker writes down how it goes on.
        assert field.kiosk("stock", "list", "--json")["items"]["carton"]["stored"]["bags"] == 1
        gone = field.kiosk("stock", "pickup", "carton", "--kg", "3.2", "--to", "古紙組合", "--json")
        assert (gone["bags"], gone["net_g"], gone["beyond"]) == (1, 3200, 0)
        paid = field.kiosk("stock", "sale", "carton", "--kg", "3.2", "--yen", "48", "--json")
        undone = field.kiosk("stock", "undo", f"{paid['seq']}", "--reason", "別の日", "--json")
        found = field.kiosk("stock", "list", "--json")
        carton = found["items"]["carton"]
        assert (carton["stored"]["bags"], carton["picked"]["bags"]) == (0, 1)
        assert (carton["sales"], carton["yen"]) == (0, 0)
        voids = [(move["kind"], move["voided"]) for move in found["moves"]]
        assert voids == [("pickup", None), ("sale", undone["seq"])]

        # The screen hears of it some seconds later, and of what people wrote meanwhile.
        words = '[[notice]]\nja = "お休みです"\n'
        field.settings.with_name("town.toml").write_text(words, "utf-8")
        field.until(lambda: field.sent("town")["notices"], "nothing was told of the notice")
        told = field.sent("town")
        assert [one["item"] for one in told["items"]] == ["pet-bottle", "can-steel", "carton"]
        assert all(one["becomes"]["easy"] for one in told["items"])
        field.settings.with_name("town.toml").write_text("[[notice", "utf-8")
        (finding,) = field.kiosk("doctor", "town_file", "--json")["findings"]
        assert (finding["level"], finding["cause"]) == ("WARN", "file_not_toml")

        second = subprocess.run(
            [KIOSK, "run", "--config", field.settings, "--lang", "en"],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert second.returncode == 1
        # Not a word of a device: it touched none.
        assert second.stderr.startswith("The station is already running")
