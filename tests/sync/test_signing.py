"""Keys on disk."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from kiosk.core.errors import OperatorError
from sync.signing import Signer, verify, write_durably


def test_a_new_key_is_kept_for_its_owner_alone_and_found_again(tmp_path: Path) -> None:
    path = tmp_path / "station.key"
    made = Signer.generate(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Signer.load(path).public_key == made.public_key
    assert verify(made.public_key, made.sign(b"x"), b"x")
    assert [each.name for each in tmp_path.iterdir()] == ["station.key"]


def test_rfc_8032_test_1() -> None:
    seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
    signer = Signer(bytes.fromhex(seed))
    assert signer.public_key.hex().startswith("d75a980182b10ab7d54bfed3c964073a")
    assert signer.sign(b"").hex().startswith("e5564300c360ac729086e2cc806e828a")


def test_a_key_is_never_written_over(tmp_path: Path) -> None:
    Signer.generate(tmp_path / "station.key")
    with pytest.raises(OperatorError, match="already"):
        Signer.generate(tmp_path / "station.key")


@pytest.mark.parametrize("text", ["", "abc", "g" * 64, "0" * 63, "0" * 66, "0" * 64 + "\n\n"])
def test_a_file_that_is_no_key_is_refused_in_two_sentences(tmp_path: Path, text: str) -> None:
    path = tmp_path / "station.key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(OperatorError, match="64 hexadecimal digits") as caught:
        Signer.load(path)
    assert text not in str(caught.value) or not text


def test_a_key_that_all_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "station.key"
    Signer.generate(path)
    path.chmod(0o644)
    with pytest.raises(OperatorError, match="chmod 600"):
        Signer.load(path)
    with pytest.raises(OperatorError, match="cannot be read"):
        Signer.load(tmp_path / "none")


def test_signatures_of_any_shape_are_only_ever_wrong() -> None:
    signer = Signer(bytes(32))
    assert not verify(signer.public_key, b"short", b"x")
    assert not verify(b"short", signer.sign(b"x"), b"x")
    assert not verify(b"\xff" * 32, signer.sign(b"x"), b"x")
    assert not verify(signer.public_key, signer.sign(b"x"), b"y")


def test_a_torn_temporary_of_an_earlier_start_is_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / "ack.json.new").write_bytes(b"torn")
    write_durably(tmp_path / "ack.json", b"whole")
    assert (tmp_path / "ack.json").read_bytes() == b"whole"
