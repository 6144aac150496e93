"""Recordings on disk: a folder of Parquet files, in the format of `store.recordings.format`.

    add ─► buffered ─► speed.000000.parquet …, messages.000000.parquet last     a part: whole or absent
    close ─► parts joined into speed.parquet … ─► recording.json: complete

`recording.json` exists from the start and holds `complete: false` until everything is in place, so a recording that was
interrupted in any way is marked as incomplete, and the written part of it can be read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import polars as pl

from registry.facts import LiftFacts, read_json
from store.recordings.files import (
    TEMPORARY,
    WAVEFORM_TABLES,
    RecordingNotWritten,
    TableCursor,
    join,
    move_into_place,
    paths,
    reading,
    write,
    writing,
)
from store.recordings.format import (
    HEADER_FILE,
    INSTANT,
    LABELS,
    TABLES,
    TABLES_SINCE,
    InvalidRecording,
    RecordingHeader,
    decode,
    decode_header,
    encode,
)
from store.recordings.frames import facts_frame, labels_frame, schema, to_frame, to_table
from telemetry.batch import Decoded

PART_BYTES = 128 << 20
"""Bytes of all tables together that are buffered before a part is written: bounds the memory."""
GROUP_MESSAGES = 10_000
WAVEFORM_SECONDS = 5
MESSAGES_LAST = tuple(sorted(TABLES, key=lambda name: name == "messages"))
"""The order of writing: rows without their messages are ignored when reading."""
FACTS_TABLE, LABELS_TABLE = "facts", "labels"


class RecordingWriter:
    """Writes a recording, group by group. As a context manager, a failure leaves it closed and incomplete."""

    def __init__(self, folder: Path, header: RecordingHeader, facts: Sequence[LiftFacts] = ()) -> None:
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            if any(folder.iterdir()):
                raise InvalidRecording(f"{folder} is not empty; name a folder that is not there yet")
        self.folder, self.header = folder, replace(header, complete=False)
        self._buffered: dict[str, list[pl.DataFrame]] = {name: [] for name in TABLES}
        self._bytes = self._parts = 0
        self._closed = False
        self._span: tuple[int, int] | None = None
        self._lifts: set[str] = set()
        self._labels: list[Mapping[str, Any]] = []
        with writing(folder):
            self._write_header()
            write(folder, LABELS_TABLE, labels_frame([]))
        self.set_facts(facts)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
            return
        with suppress(
            RecordingNotWritten
        ):  # another error is being raised, and the header is incomplete from the start
            self.close(complete=False)

    def add(self, decoded: Decoded) -> None:
        """Add the next group of messages."""
        messages = decoded.messages
        for name, table in encode(decoded, self.header.messages).items():
            frame = to_frame(table, TABLES[name])
            if len(frame):
                self._buffered[name].append(frame)
                self._bytes += int(frame.estimated_size())
        if len(messages.seq):
            start, end = int(messages.t_ns.min()), int(messages.t_end_ns.max())
            self._span = (min(start, self._span[0]), max(end, self._span[1])) if self._span else (start, end)
            self._lifts.update(messages.lift_id)
        self.header = replace(
            self.header,
            lifts=len(self._lifts),
            messages=self.header.messages + len(messages.seq),
            refusals=self.header.refusals + len(decoded.refusals),
        )
        if self._bytes >= PART_BYTES:
            self.flush()

    def set_facts(self, facts: Sequence[LiftFacts]) -> None:
        """Set the facts of the lifts, replacing earlier ones."""
        with writing(self.folder):
            write(self.folder, FACTS_TABLE, facts_frame(facts))

    def add_labels(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add labels, rows with the columns of `LABELS`."""
        self._labels += rows

    def close(self, complete: bool = True) -> None:
        """Write the buffered rows; where `complete`, join the parts and mark it. Closing again does nothing."""
        if self._closed:
            return
        self._closed = True
        self.flush()
        with writing(self.folder):
            if complete:
                for name in MESSAGES_LAST:
                    join(self.folder, name)
            self.header = replace(self.header, complete=complete)
            self._write_header()

    def flush(self) -> None:
        """Write the buffered rows as one part, which can be read from then on.

        Raises RecordingNotWritten, and the same rows are written by the next call.
        """
        with writing(self.folder):
            for name in MESSAGES_LAST:
                empty = pl.DataFrame(schema=schema(TABLES[name]))
                write(self.folder, f"{name}.{self._parts:06d}", pl.concat([empty, *self._buffered[name]]))
            write(self.folder, LABELS_TABLE, labels_frame(self._labels))
            self._buffered = {name: [] for name in TABLES}
            self._bytes, self._parts = 0, self._parts + 1
            if self._span:
                self.header = self.header.spanning(*self._span)
            self._write_header()

    def _write_header(self) -> None:
        unfinished = self.folder / (HEADER_FILE + TEMPORARY)
        unfinished.write_bytes(self.header.encode())
        move_into_place(unfinished, self.folder / HEADER_FILE)


class Recording:
    """Reads a recording."""

    def __init__(self, folder: Path) -> None:
        try:
            self.header = decode_header((folder / HEADER_FILE).read_bytes())
        except OSError as error:
            raise InvalidRecording(
                f"{folder} has no {HEADER_FILE} ({error.strerror}); name a recording's folder"
            ) from None
        self.folder = folder
        self._files = {name: paths(folder, name) for name in TABLES}
        expected = [name for name in TABLES if self.header.format >= TABLES_SINCE.get(name, 1)]
        missing = [name for name in expected if not self._files[name]]
        if missing and self.header.complete:
            raise InvalidRecording(f"{folder}: {missing[0]}.parquet is missing; take the recording anew")
        parts = len(self._files["messages"])
        self._files = {name: files[:parts] for name, files in self._files.items()}
        found = self._rows("messages") if self.header.complete else self.header.messages
        if found != self.header.messages:
            raise InvalidRecording(f"{folder} holds {found} of {self.header.messages} messages; copy or take it anew")

    def facts(self) -> list[LiftFacts]:
        """Return the facts of the registered lifts."""
        frame = self._read(FACTS_TABLE)
        accepted, refused = read_json(frame.write_json())
        if refused:
            raise InvalidRecording(
                f"{self.folder / FACTS_TABLE}.parquet: row {refused[0].number}: {refused[0].errors[0]}"
            )
        return accepted

    def labels(self) -> list[dict[str, Any]]:
        """Return the labels, instants as nanoseconds."""
        instants = [name for name, kind in LABELS.items() if kind == INSTANT]
        return self._read(LABELS_TABLE).with_columns(pl.col(instants).cast(pl.Int64)).to_dicts()

    def groups(self, messages: int | None = None) -> Iterator[Decoded]:
        """Yield the messages in the order of their arrival, in groups, reading the files in slices."""
        messages = messages or self._at_once()
        cursors = {name: TableCursor(name, found) for name, found in self._files.items()}
        first = 0
        while True:
            end = first + messages
            frames = {name: cursor.until(end) for name, cursor in cursors.items()}
            if not any(map(len, frames.values())):
                return
            yield decode({name: to_table(frame, TABLES[name]) for name, frame in frames.items()}, first)
            first = end

    def lift_ids(self) -> set[str]:
        """Return the lifts that have messages."""
        return set(self._scan("messages", pl.col("lift_id").unique()))

    def _at_once(self) -> int:
        """Return the default size of a group: some seconds of the fleet where there is vibration."""
        has_waveforms = any(self._rows(name) for name in WAVEFORM_TABLES)
        return min(GROUP_MESSAGES, WAVEFORM_SECONDS * max(self.header.lifts, 10)) if has_waveforms else GROUP_MESSAGES

    def _rows(self, name: str) -> int:
        return sum(self._scan(name, pl.len()))

    def _scan(self, name: str, what: pl.Expr) -> list[Any]:
        """Return the column that an expression makes of a table; empty where the table has no file yet."""
        files = self._files[name]
        with reading(self.folder / name):
            return pl.scan_parquet(files, glob=False).select(what).collect().to_series().to_list() if files else []

    def _read(self, name: str) -> pl.DataFrame:
        path = self.folder / f"{name}.parquet"
        with reading(path):
            return pl.read_parquet(path, glob=False)
