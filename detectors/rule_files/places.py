"""The places of tables, keys and expressions in the text of a rule file, for messages about their faults."""

from __future__ import annotations

import re

TABLE = re.compile(r"\s*\[+\s*([^\]]+?)\s*\]+\s*(#.*)?")
KEY = re.compile(r"\s*([\w.\"'-]+(?:\s*\.\s*[\w\"'-]+)*)\s*=")


class KeyPlaces:
    """Finds keys by their text alone: TOML has many ways to write one, and the table's line stands in for the rest."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._begin = {"": 0}
        at, table = 0, ""
        for line in text.splitlines(keepends=True):
            if header := TABLE.fullmatch(line.rstrip("\r\n")):
                table = _plain(header[1])
                self._begin.setdefault(table, at + line.index("["))
            elif key := KEY.match(line):
                name = _plain(key[1])
                self._begin.setdefault(f"{table}.{name}" if table else name, at + key.start(1))
            at += len(line)

    def find(self, slug: str, key: str = "", expression: str = "", at: int = 0) -> tuple[int, int]:
        """Return line and column, from 1, of a rule's key, or of the character at `at` of the expression there."""
        begin = self._begin_of(slug, key)
        if expression and (found := self._text.find(expression, begin)) >= 0:
            begin = found + min(at, len(expression))
        line = self._text.count("\n", 0, begin) + 1
        return line, begin - (self._text.rfind("\n", 0, begin) + 1) + 1

    def _begin_of(self, slug: str, key: str) -> int:
        """Return the place of a key, else of the longest part of its name that has one."""
        name = f"{slug}.{key}" if key else slug
        while name not in self._begin and name:
            name = name.rpartition(".")[0]
        return self._begin[name]


def _plain(name: str) -> str:
    """Return a dotted name without quotes and spaces."""
    return re.sub(r"[\s\"']", "", name)
