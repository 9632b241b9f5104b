"""The doctor: checks with stable codes, each OK, WARN or ERR, each with one next step.

``station`` judges the facts of a running station, ``ground`` what it stands on: files, keys, disk.
Neither holds words; the command line puts a finding's ``code`` and ``case`` into sentences.
"""

from kiosk.doctor.finding import CODES, Finding, Level, worst
from kiosk.doctor.station import examine

__all__ = ["CODES", "Finding", "Level", "examine", "worst"]
