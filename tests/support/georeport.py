"""Another server on this machine that answers as it is told to, address by address, and writes down what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from tests.support.loopback import Handler, listening

Answer = bytes | tuple[int, bytes] | Callable[["Asked"], "bytes | tuple[int, bytes]"]


@dataclass
class Asked:
    """One call: its path, its query or form (the last value of each name), its headers."""

    method: str
    path: str
    given: dict[str, str]
    headers: dict[str, str]


@dataclass
class Foreign:
    """``answers`` by "GET /requests.xml"; what is not there is a 404."""

    url: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    calls: list[Asked] = field(default_factory=list)

    def asked(self, what: str) -> list[Asked]:
        """The calls of one address."""
        return [one for one in self.calls if f"{one.method} {one.path}" == what]


@contextmanager
def foreign() -> Iterator[Foreign]:
    """A server on 127.0.0.1 for the time of a test."""
    told = Foreign()

    class Theirs(Handler):
        def do_GET(self) -> None:
            self._do("GET", urlsplit(self.path).query)

        def do_POST(self) -> None:
            self._do("POST", self.body().decode())

        def _do(self, method: str, text: str) -> None:
            given = {name: values[-1] for name, values in parse_qs(text, keep_blank_values=True).items()}
            asked = Asked(method, urlsplit(self.path).path, given, dict(self.headers))
            told.calls.append(asked)
            answer = told.answers.get(f"{method} {asked.path}", (404, b""))
            answer = answer(asked) if callable(answer) else answer
            self.send(*(answer if isinstance(answer, tuple) else (200, answer)))

    with listening(Theirs) as told.url:
        yield told
