"""Work of the caretaker's corner: however it ends, the page is left with nothing that is over."""

from __future__ import annotations

import threading

from kiosk.corner.jobs import Job, Jobs, Told

BREATH_S = 0.1


def test_what_is_called_off_is_not_told_after_its_end() -> None:
    """The word "there is no job" comes while the job itself is just telling."""
    told: list[Told | None] = []
    telling, gone = threading.Event(), threading.Event()

    def publish(word: Told | None) -> None:
        if word is not None and word["step"] == "show":
            telling.set()
            gone.wait(BREATH_S)
        told.append(word)
        if word is None:
            gone.set()

    jobs, over = Jobs(publish), threading.Event()

    def work(job: Job) -> None:
        job.tell(step="show")
        over.set()
        job.check()

    jobs.start("card", work)
    telling.wait()
    jobs.cancel()
    over.wait()
    assert told[-1] is None
