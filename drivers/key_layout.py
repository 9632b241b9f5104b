"""What is printed on a key: from the kernel's key codes to characters. No device in here.

A keyboard scanner presses the keys that would type its text on the keyboard that *it* is set to, so the
station has to be set to the same one. On Japanese keyboards most of base45's ``$%*+-./:`` and the
double quote sit elsewhere than on US ones.

Sources: ``linux/input-event-codes.h`` for the codes; the ``us`` and ``jp`` layouts of xkeyboard-config
(JIS X 6002) for the characters. The keypad's keys are the same on both, whatever Num Lock says.
"""

from __future__ import annotations

from typing import Literal

Layout = Literal["us", "jis"]

KEY_ENTER, KEY_KPENTER = 28, 96
KEY_CAPSLOCK = 58
SHIFTS = frozenset((42, 54))
CONTROLS = frozenset((29, 97))
OTHER_MODIFIERS = frozenset((56, 100, 125, 126))
"""Alt and the logo keys: with one of them held no key types a character."""
_LOCKS = frozenset((69, 70))
QUIET: dict[Layout, frozenset[int]] = {
    "us": _LOCKS,
    "jis": _LOCKS | {41, 85, 92, 93, 94},
}
"""They type nothing: Num Lock, Scroll Lock, and a Japanese keyboard's keys for its input method."""

_ROWS = {2: "1234567890", 16: "qwertyuiop", 30: "asdfghjkl", 44: "zxcvbnm"}
_KEYPAD = {55: "*", 71: "7", 72: "8", 73: "9", 74: "-", 75: "4", 76: "5", 77: "6", 78: "+"}
_KEYPAD |= {79: "1", 80: "2", 81: "3", 82: "0", 83: ".", 98: "/", 117: "="}
_BOTH = {15: "\t\t", 51: ",<", 52: ".>", 53: "/?", 57: "  "}
_US = {12: "-_", 13: "=+", 26: "[{", 27: "]}", 39: ";:", 40: "'\"", 41: "`~", 43: "\\|", 86: "<>"}
_JIS = {12: "-=", 13: "^~", 26: "@`", 27: "[{", 39: ";+", 40: ":*", 43: "]}", 89: "\\_", 124: "\\|"}
_SHIFTED_DIGITS: dict[Layout, str] = {"us": "!@#$%^&*()", "jis": "!\"#$%&'()~"}


def characters(layout: Layout) -> dict[int, tuple[str, str]]:
    """Key code to its character without and with shift (letters as without Caps Lock)."""
    keys = {
        first + at: (char, char.upper())
        for first, row in _ROWS.items()
        for at, char in enumerate(row)
    }
    keys |= {2 + at: (keys[2 + at][0], char) for at, char in enumerate(_SHIFTED_DIGITS[layout])}
    keys |= {code: (char, char) for code, char in _KEYPAD.items()}
    pairs = _BOTH | (_US if layout == "us" else _JIS)
    return keys | {code: (pair[0], pair[1]) for code, pair in pairs.items()}
