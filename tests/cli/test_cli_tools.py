"""The commands that need no station and no settings: traces, captured bytes, pictures."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_site import Site

SCALE = "--counts-per-gram 43 --zero-counts 84000 --max-g 60000 --division-g 20 --rate-sps 10"


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings file is near."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    """Five still seconds, 1 kg laid on, ten still seconds; a column and a comment too many."""
    grams = [0] * 50 + [1000] * 100
    rows = [f"{n * 100},{84000 + 43 * g},x" for n, g in enumerate(grams)]
    file = tmp_path / "trace.csv"
    file.write_text("\n".join(["# a bin", "t_ms,counts,note", *rows, ""]), encoding="utf-8")
    return file


def test_a_trace_is_replayed_without_settings(site: Site, trace: Path) -> None:
    said = site.kiosk("scale", "replay", str(trace), *SCALE.split(), config=False)
    assert (said.code, said.err) == (0, "")
    assert [line["kind"] for line in said.lines] == ["stable", "stable", "weighing", "summary"]
    assert said.lines[2]["net_g"] == pytest.approx(1000, abs=1)
    assert said.lines[3]["samples"] == 150


def test_a_broken_trace_names_its_line(site: Site, trace: Path) -> None:
    trace.write_text("t_ms,counts\n0,84000\n0,84000\n", encoding="utf-8")
    said = site.kiosk("scale", "replay", str(trace), *SCALE.split(), config=False)
    assert said.code == 2 and "3 行目" in said.err


@pytest.mark.parametrize(
    ("rows", "line", "words"),
    [
        ("t,counts\n", 1, "columns t_ms and counts"),
        ('t_ms,counts,note\n0,84000,ok\n100,84000,"open\n200,84000,x"\n300,84000,\n', 3, "quote"),
        ('t_ms,counts,note\n0,84000,ok\n100,84000,"open\n', 3, "no CSV"),
        ("t_ms,counts\n0,84000\n100\n", 3, "too short"),
        ("t_ms,counts\n0,x\n", 2, "counts must be a whole number"),
        ("t_ms,counts\n1000000000000000,5\n", 2, "more than 15 digits"),
        ("t_ms,counts\n0," + "1" * 20_000 + "\n", 2, "more than 10000 characters"),
    ],
)
def test_what_is_wrong_in_a_trace_is_said_in_three_languages(
    site: Site, trace: Path, rows: str, line: int, words: str
) -> None:
    trace.write_text(rows, encoding="utf-8")
    said = {
        lang: site.kiosk(
            "scale", "replay", str(trace), *SCALE.split(), "--lang", lang, config=False
        ).err
        for lang in ("en", "ja", "easy")
    }
    assert f"Line {line} " in said["en"] and words in said["en"]
    assert f" {line} 行目" in said["ja"] and f"{line} ぎょうめ" in said["easy"]


@pytest.mark.parametrize(
    ("there", "instead"),
    [
        ("gram 43", "gram 0"),
        ("gram 43", "gram nan"),
        ("gram 43", "gram 1e-300"),
        ("gram 43", f"gram {'4' * 400}"),
        ("sps 10", "sps 0"),
        ("sps 10", "sps nan"),
        ("sps 10", "sps inf"),
        ("max-g 60000", f"max-g {'6' * 400}"),
        ("counts 84000", "counts 8e4"),
        ("division-g 20", "division-g 60001"),
    ],
)
def test_a_scale_that_cannot_be_is_a_wrong_call(
    site: Site, trace: Path, there: str, instead: str
) -> None:
    call = SCALE.replace(there, instead).split()
    said = site.kiosk("scale", "replay", str(trace), *call, "--lang", "en", config=False)
    option = f"--{instead.partition(' ')[0]}".replace("--gram", "--counts-per-gram")
    assert said.code == 2 and (option in said.err or option[2:] in said.err)
    assert len(said.err) < 300


def test_what_never_ends_is_refused(site: Site) -> None:
    said = site.kiosk("scale", "replay", "/dev/zero", *SCALE.split(), "--json", config=False)
    assert said.code == 2 and said.value["error"]["code"] == "trace"
    said = site.kiosk("scale", "decode", "/dev/zero", "--json", config=False)
    assert said.code == 2 and said.value["error"]["code"] == "capture_too_big"


def test_an_indicators_bytes_are_decoded_without_settings(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "bytes"
    file.write_bytes(b"+00\x00ST,GS,+0001.640kg\r\nUS,GS,-0000.020kg\r\n")
    for more in ((), ("--protocol", "ad")):
        said = site.kiosk("scale", "decode", str(file), *more, config=False)
        assert said.code == 0, said.err
        skipped, stable, moving, summary = said.lines
        assert skipped == {"offset": 0, "skipped": 4}
        assert (stable["status"], stable["value"], stable["unit"]) == ("stable", "1.640", "kg")
        assert (moving["status"], moving["value"]) == ("motion", "-0.020")
        assert summary == {"kind": "summary", "frames": 2, "skipped_bytes": 4}


def test_an_unknown_protocol_is_a_wrong_call(site: Site, trace: Path) -> None:
    said = site.kiosk("scale", "decode", str(trace), "--protocol", "zz", config=False)
    assert said.code == 2 and "ad" in said.err


def test_qr_texts_come_out_of_pictures(site: Site, tmp_path: Path) -> None:
    import cv2

    picture = tmp_path / "card.png"
    code = cv2.QRCodeEncoder.create().encode("KIOSK 78")
    cv2.imwrite(str(picture), cv2.resize(code, None, fx=8, fy=8, interpolation=cv2.INTER_NEAREST))
    said = site.kiosk("card", "read", str(picture), config=False)
    assert said.code == 0
    (line,) = said.lines
    assert (line["file"], line["texts"]) == (str(picture), ["KIOSK 78"]) and line["ms"] >= 0


def test_a_file_that_is_no_picture_is_told_and_the_rest_is_read(site: Site, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    said = site.kiosk("card", "read", "a.png", "none.png", config=False)
    assert said.code == 1 and said.err == ""
    assert [line["texts"] for line in said.lines] == [[], []]
    assert all(line["error"] for line in said.lines)


def test_an_uplink_without_a_broker_says_what_is_missing(site: Site) -> None:
    text = site.file.read_text(encoding="utf-8")
    site.file.write_text(text.partition("[mqtt]")[0], encoding="utf-8")
    said = site.kiosk("uplink")
    assert said.code == 2 and "[mqtt]" in said.err


CAPTURES = {
    # As cheap indicators sent them: a comma left out, a mark for motion, the last digit behind a slash.
    "generic": (b"S    20.7g  \r\n" + b"ST,GS    20.7g  \r\n" * 3, ("stable", "20.7", "g")),
    "ohaus": (b"\x00\x7f     0.0 kg    G\r\n     0.0 kg    G\r\n", ("stable", "0.0", "kg")),
    "shinko": (b"+007.12/3 G S\r\n+007.12/3 G S\r\n", ("stable", "7.123", "g")),
    "cas": (b"US,GS,     8.2 g\r\n" * 2, ("motion", "8.2", "g")),
    "sics": (b"S S     100.00 g\r\nS S     100.00 g\r\n", ("stable", "100.00", "g")),
}


@pytest.mark.parametrize("protocol", CAPTURES)
def test_a_capture_is_recognised(site: Site, tmp_path: Path, protocol: str) -> None:
    file = tmp_path / "bytes"
    raw, expected = CAPTURES[protocol]
    file.write_bytes(raw)
    said = site.kiosk("scale", "decode", str(file), config=False)
    *lines, summary = said.lines
    told = {(x["protocol"], x["status"], x["value"], x["unit"]) for x in lines if "protocol" in x}
    assert told == {(protocol, *expected)}
    assert summary["skipped_bytes"] < 20


def test_a_line_without_a_word_for_it_is_not_stable(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "bytes"
    file.write_bytes(b"  12.34 kg\r\n  12.34 kg\r\n")
    said = site.kiosk("scale", "decode", str(file), config=False)
    assert [line.get("status") for line in said.lines] == ["motion", "motion", None]


def test_a_bin_without_an_indicator_cannot_say_how_to_read(site: Site, tmp_path: Path) -> None:
    file = tmp_path / "bytes"
    file.write_bytes(b"")
    said = site.kiosk("scale", "decode", str(file), "--bin", "b2")
    assert said.code == 2 and "kiosk scale list" in said.err


def test_probing_a_port_that_is_not_there_says_so(site: Site, tmp_path: Path) -> None:
    said = site.kiosk("scale", "probe", str(tmp_path / "tty"), config=False)
    assert said.code == 1 and said.err
