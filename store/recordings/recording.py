"""Recordings on disk: a folder of Parquet files, in the format of `store.recordings.format`.

    add ─► buffered ─► speed.000000.parquet …, messages.000000.parquet last     a part: whole or not there
    close ─► parts joined into speed.parquet … ─► recording.json: complete

The law: `recording.json` is there from the start and says `complete: false` until everything is in its place, so a
recording that was interrupted, however, says so, and what is there of it can be read.
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
    WAVES,
    Cursor,
    NotWritten,
    join,
    paths,
    reading,
    settle,
    write,
    writing,
)
from store.recordings.format import (
    HEADER,
    INSTANT,
    LABELS,
    SINCE,
    TABLES,
    Header,
    NotARecording,
    decode,
    decode_header,
    encode,
)
from store.recordings.frames import facts_frame, labels_frame, schema, to_frame, to_table
from telemetry.batch import Decoded

PART_BYTES = 128 << 20
"""So much of all tables together is held before a part is written: it bounds the memory."""
GROUP_MESSAGES = 10_000
WAVE_SECONDS = 5
MESSAGES_LAST = tuple(sorted(TABLES, key=lambda name: name == "messages"))
"""The order of writing: rows whose messages are not there do not count."""
FACTS, LABELLED = "facts", "labels"


class Writer:
    """Takes a recording, group by group. As a context, a failure leaves it closed and incomplete."""

    def __init__(self, folder: Path, header: Header, facts: Sequence[LiftFacts] = ()) -> None:
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            if any(folder.iterdir()):
                raise NotARecording(f"{folder} is not empty; name a folder that is not there yet")
        self.folder, self.header = folder, replace(header, complete=False)
        self._held: dict[str, list[pl.DataFrame]] = {name: [] for name in TABLES}
        self._bytes = self._parts = 0
        self._closed = False
        self._span: tuple[int, int] | None = None
        self._lifts: set[str] = set()
        self._labels: list[Mapping[str, Any]] = []
        with writing(folder):
            self._write_header()
            write(folder, LABELLED, labels_frame([]))
        self.know(facts)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.close()
            return
        with suppress(NotWritten):  # a failure is on its way already, and the header says incomplete from the start
            self.close(complete=False)

    def add(self, decoded: Decoded) -> None:
        """Take the next group of messages."""
        messages = decoded.messages
        for name, table in encode(decoded, self.header.messages).items():
            frame = to_frame(table, TABLES[name])
            if len(frame):
                self._held[name].append(frame)
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

    def know(self, facts: Sequence[LiftFacts]) -> None:
        """Take the facts of the lifts, in place of those that were given before."""
        with writing(self.folder):
            write(self.folder, FACTS, facts_frame(facts))

    def label(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Take what truly happened; the columns are `LABELS`."""
        self._labels += rows

    def close(self, complete: bool = True) -> None:
        """Write what is held; where `complete`, join the parts and say that all is there. The first time counts."""
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
        """Write what is held as one part; whatever happens from here on, it can be read."""
        with writing(self.folder):
            for name in MESSAGES_LAST:
                none = pl.DataFrame(schema=schema(TABLES[name]))
                write(self.folder, f"{name}.{self._parts:06d}", pl.concat([none, *self._held[name]]))
                self._held[name] = []
            write(self.folder, LABELLED, labels_frame(self._labels))
            self._bytes, self._parts = 0, self._parts + 1
            if self._span:
                self.header = self.header.spanning(*self._span)
            self._write_header()

    def _write_header(self) -> None:
        unfinished = self.folder / (HEADER + TEMPORARY)
        unfinished.write_bytes(self.header.encode())
        settle(unfinished, self.folder / HEADER)


class Recording:
    """A recording that is there to be read."""

    def __init__(self, folder: Path) -> None:
        try:
            self.header = decode_header((folder / HEADER).read_bytes())
        except OSError as error:
            raise NotARecording(f"{folder} has no {HEADER} ({error.strerror}); name a recording's folder") from None
        self.folder = folder
        self._files = {name: paths(folder, name) for name in TABLES}
        expected = [name for name in TABLES if self.header.format >= SINCE.get(name, 1)]
        missing = [name for name in expected if not self._files[name]]
        if missing and self.header.complete:
            raise NotARecording(f"{folder}: {missing[0]}.parquet is missing; take the recording anew")
        counted = len(self._files["messages"])
        self._files = {name: found[:counted] for name, found in self._files.items()}
        there = self._rows("messages") if self.header.complete else self.header.messages
        if there != self.header.messages:
            raise NotARecording(f"{folder} holds {there} of {self.header.messages} messages; copy or take it anew")

    def facts(self) -> list[LiftFacts]:
        """Return the facts of the lifts that the registry knew."""
        frame = self._read(FACTS)
        taken, refused = read_json(frame.write_json())
        if refused:
            raise NotARecording(f"{self.folder / FACTS}.parquet: row {refused[0].number}: {refused[0].faults[0]}")
        return taken

    def labels(self) -> list[dict[str, Any]]:
        """Return what truly happened, instants as nanoseconds."""
        instants = [name for name, kind in LABELS.items() if kind == INSTANT]
        return self._read(LABELLED).with_columns(pl.col(instants).cast(pl.Int64)).to_dicts()

    def groups(self, messages: int | None = None) -> Iterator[Decoded]:
        """Yield the messages in the order of their arrival, so many at once, reading as it goes."""
        messages = messages or self._at_once()
        cursors = {name: Cursor(name, found) for name, found in self._files.items()}
        first = 0
        while True:
            end = first + messages
            frames = {name: cursor.until(end) for name, cursor in cursors.items()}
            if not any(map(len, frames.values())):
                return
            yield decode({name: to_table(frame, TABLES[name]) for name, frame in frames.items()}, first)
            first = end

    def lift_ids(self) -> set[str]:
        """Return the lifts that say anything."""
        return set(self._scan("messages", pl.col("lift_id").unique()))

    def _at_once(self) -> int:
        """Return how many messages to hand out at once: where there is vibration, some seconds of it."""
        shakes = any(self._rows(name) for name in WAVES)
        return min(GROUP_MESSAGES, WAVE_SECONDS * max(self.header.lifts, 10)) if shakes else GROUP_MESSAGES

    def _rows(self, name: str) -> int:
        return sum(self._scan(name, pl.len()))

    def _scan(self, name: str, what: pl.Expr) -> list[Any]:
        """Return a column made of a table; empty where there is none yet."""
        files = self._files[name]
        with reading(self.folder / name):
            return pl.scan_parquet(files, glob=False).select(what).collect().to_series().to_list() if files else []

    def _read(self, name: str) -> pl.DataFrame:
        path = self.folder / f"{name}.parquet"
        with reading(path):
            return pl.read_parquet(path, glob=False)
