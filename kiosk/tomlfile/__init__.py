"""TOML files that people write, read strictly: the settings and the catalogue."""

from kiosk.tomlfile.problem import FileProblem
from kiosk.tomlfile.reading import MAX_FILE_BYTES, read_text, read_toml, tables_of
from kiosk.tomlfile.shaping import READABLE, TAG, convert, problems

__all__ = [
    "MAX_FILE_BYTES",
    "READABLE",
    "TAG",
    "FileProblem",
    "convert",
    "problems",
    "read_text",
    "read_toml",
    "tables_of",
]
