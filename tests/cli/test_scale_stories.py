"""A caretaker at a real station's scale: looked at, recorded, adjusted with a bottle, verified."""

from __future__ import annotations

import json
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from field_station import KIOSK, LONG_S, FieldStation


@pytest.fixture(scope="module")
def hall() -> Iterator[FieldStation]:
    """One station for all stories that leave it as it was."""
    with tempfile.TemporaryDirectory(prefix="kiosk") as folder, FieldStation(Path(folder)) as made:
        made.plug_indicator()
        made.start()
        made.until_ready("b1", "b2")
        yield made


def test_ten_seconds_say_that_a_good_scale_is_good(hall: FieldStation) -> None:
    found = hall.kiosk("scale", "diagnose", "b1", "--json")
    assert found["worst"] != "ERR" and 80 < found["samples"] < 130
    assert found["noise_g"] < 2 and abs(found["gross_g"]) < 20
    said = hall.said("scale", "diagnose", "b1", "--lang", "en")
    assert "trembl" in said and "divi" in said


def test_an_indicator_is_looked_at_too(hall: FieldStation) -> None:
    found = hall.kiosk("scale", "diagnose", "b2", "--json")
    assert found["worst"] == "OK" and found["noise_counts"] is None


def test_a_recorded_trace_is_reckoned_again_by_the_stations_own_code(hall: FieldStation) -> None:
    trace = hall.folder / "live.csv"
    with subprocess.Popen(
        [KIOSK, "scale", "record", "b1", trace, "--config", hall.settings],
        stdout=subprocess.DEVNULL,
    ) as recording:
        hall.until(lambda: trace.exists() and trace.stat().st_size > 900, "nothing recorded")
        hall.load(1_000)
        time.sleep(6)
        hall.load(0)
        time.sleep(6)
        recording.send_signal(signal.SIGINT)
        assert recording.wait(LONG_S) == 0
    text = trace.read_text(encoding="ascii")
    options = next(line for line in text.splitlines() if line.startswith("# replay: "))
    done = subprocess.run(
        [KIOSK, "scale", "replay", trace, *options.removeprefix("# replay: ").split()],
        capture_output=True,
        text=True,
        timeout=LONG_S,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    nets = [round(one["net_g"]) for one in lines if one["kind"] == "weighing"]
    assert [net // 100 for net in (nets[0], -nets[1])] == [10, 10] or nets == pytest.approx(
        [1_000, -1_000], abs=3
    )
    assert lines[-1]["samples"] == sum(line[:1].isdigit() for line in text.splitlines())


def test_a_trace_never_writes_over_another(hall: FieldStation) -> None:
    taken = hall.folder / "taken.csv"
    taken.write_text("mine")
    said = hall.said("scale", "record", "b1", str(taken), "--json")
    assert json.loads(said)["error"]["code"] == "trace_file" and taken.read_text() == "mine"
    assert hall.kiosk("scale", "record", "b2", "x.csv", "--json")["error"]["code"] == "no_counts"


def test_a_station_that_does_not_run_is_said_so_with_the_next_step(
    tmp_path: Path,
) -> None:
    with tempfile.TemporaryDirectory(prefix="kiosk") as folder:
        field = FieldStation(Path(folder))
        for words in (["adjust", "b1"], ["zero", "b1"], ["diagnose", "b1"], ["record", "b1", "x"]):
            error = field.kiosk("scale", *words, "--json")["error"]
            assert error["code"] == "station_unreachable" and "systemctl" in error["todo"]
