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


def test_only_what_was_asked_for_is_agreed_to() -> None:
    """A page of before, or of a window beside it, may still send its last touch."""
    step, go_on, found = threading.Event(), threading.Event(), list[bool]()

    def work(job: Job) -> None:
        for name in ("load", "agree"):
            job.tell(step=name)
            step.set()
            go_on.wait()
            go_on.clear()
            found.append(job.agreed)
        step.set()

    jobs = Jobs(lambda _: None)
    jobs.start("adjust", work)
    for _ in range(2):
        step.wait()
        step.clear()
        jobs.agree()
        go_on.set()
    step.wait()
    jobs.stop()
    assert found == [False, True]
