"""Recordings at the command line: opened for reading or writing, with one line for each error."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from commands.errors import Unusable
from registry.facts import LiftFacts
from store.recordings.files import RecordingNotWritten
from store.recordings.format import InvalidRecording, RecordingHeader
from store.recordings.recording import Recording, RecordingWriter


def open_recording(folder: Path, lifts: Collection[str] = ()) -> Recording:
    """Open a recording; raise Unusable where `folder` is not one, or where one of `lifts` is not in it."""
    try:
        recording = Recording(folder)
        absent = sorted(set(lifts) - recording.lift_ids()) if lifts else []
    except InvalidRecording as error:
        raise Unusable(str(error)) from None
    if absent:
        raise Unusable(f"lift {absent[0]} has no messages in {folder}; leave --lift out to take all lifts")
    if not recording.header.complete:
        sys.stderr.write(f"liftwatch: {folder} is incomplete: it was interrupted while it was taken\n")
    return recording


@contextmanager
def recording_writer(folder: Path, header: RecordingHeader, facts: Sequence[LiftFacts]) -> Iterator[RecordingWriter]:
    """Open a new recording for writing; raise Unusable where it cannot be written."""
    try:
        with RecordingWriter(folder, header, facts) as writer:
            yield writer
    except (InvalidRecording, RecordingNotWritten) as error:
        raise Unusable(str(error)) from None


def report_written(header: RecordingHeader, folder: Path, why_incomplete: str) -> int:
    """Print how much was recorded; return exit code 1 where the recording is incomplete."""
    state = "" if header.complete else f", marked incomplete: {why_incomplete}"
    print(f"{header.messages} messages of {header.lifts} lifts written to {folder}{state}")
    return 0 if header.complete else 1
