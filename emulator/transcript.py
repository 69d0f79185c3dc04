"""Everything that was asked and answered, both ways, for assertions."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

from emulator.http import parsed

KEPT = 20_000
LONGEST = 8_000


@dataclass
class Entry:
    """``way``: "in" was asked of the emulator, "out" the emulator's push. ``kind`` names a push's message or event."""

    number: int
    at: float
    way: str
    service: str
    method: str
    path: str
    query: dict[str, str]
    body: Any
    status: int
    answer: Any
    kind: str = ""
    person: str = ""
    note: str = ""


class Transcript:
    """The newest entries, numbered from 1."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        self._number = 0

    def write(self, **fields: Any) -> Entry:
        """Add an entry; bodies are shown as JSON or text, shortened."""
        self._number += 1
        fields["body"], fields["answer"] = readable(fields["body"]), readable(fields["answer"])
        entry = Entry(number=self._number, **fields)
        self._entries.append(entry)
        return entry

    def read(self, *, after: int = 0, **wanted: str) -> list[dict[str, Any]]:
        """Entries with these values; ``path`` is enough if the entry's ends with it."""
        return [asdict(one) for one in self._entries if one.number > after and _fits(one, wanted)]

    def clear(self) -> None:
        """Forget all; numbers go on."""
        self._entries.clear()


def _fits(entry: Entry, wanted: dict[str, str]) -> bool:
    return all(
        entry.path.endswith(value) if name == "path" else str(getattr(entry, name, "")) == value
        for name, value in wanted.items()
    )


def readable(data: bytes | str | Any) -> Any:
    """JSON as it is, text as text, the rest as its size."""
    if not isinstance(data, bytes | str):
        return data
    try:
        text = data.decode() if isinstance(data, bytes) else data
    except UnicodeDecodeError:
        return f"<{len(data)} bytes>"
    try:
        found = parsed(text) if text[:1] in "{[" and text else text
    except ValueError:
        found = text
    return found[:LONGEST] if isinstance(found, str) else found
