"""What the words of another system mean here: a map written in TOML, and one order read by it. Knows no database.

A fault in a map is a sentence with the line and the key; a row that cannot be read is a ``BadRow`` with its reason.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple

from django.utils.translation import gettext as _

from jiequ.core.worktime import ZONE
from jiequ.grid.rules import CoordinateSystem

COLUMNS = frozenset(
    "number created closed due state on_time type sub_type property street community unit source words place x y"
    " contact_name contact_phone kind".split()
)
"""What a column of the file may be."""
TABLES = frozenset(
    {"columns", "types", "units", "sources", "streets", "communities", "states", "on_time", "limits", "unmapped"}
)
MOST_LIMIT_DAYS = 365
PLAIN = frozenset({"source", "name", "dates", "coordinates", "empty"})
UNMAPPED: dict[str, tuple[str, ...]] = {
    "type": ("review", "reject"),
    "unit": ("review", "ignore", "reject"),
    "community": ("review", "ignore", "reject"),
    "state": ("open", "closed", "reject"),
}
"""What may be done with what the map does not know; the first is done where nothing is said."""
SAID = ("type", "sub_type", "property", "street", "community", "unit", "source", "state", "on_time", "kind")
"""The source's own words that a case keeps."""
_SOURCE = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_TARGET = re.compile(r"(?:(event|component):)?([0-9A-Z]{2,8})(?:/([a-z0-9_-]{1,30}))?")
_ISO = "%Y-%m-%d %H:%M:%S"


class MapFault(Exception):
    """The map is not right: a sentence with the line and the key."""

    def __init__(self, words: str, *, line: int = 0, key: str = "") -> None:
        self.line, self.key = line, key
        where = _("第 %(line)d 行") % {"line": line} if line else ""
        super().__init__(": ".join(part for part in (" ".join(p for p in (where, key) if p), words) if part))


class BadRow(Exception):
    """One row cannot be taken; why, in words."""


@dataclass(frozen=True, slots=True)
class TypeTarget:
    """A type of ours, and one of its filing conditions or (empty) its first."""

    kind: str
    code: str
    key: str = ""

    def __str__(self) -> str:
        return ":".join(part for part in (self.kind, self.code, self.key) if part)

    @classmethod
    def of(cls, text: str) -> TypeTarget:
        """From "0110", "0111/pile" or "component:1101"; ValueError for anything else."""
        found = _TARGET.fullmatch(text)
        if not found:
            raise ValueError(text)
        return cls(found[1] or "event", found[2], found[3] or "")

    @classmethod
    def stored(cls, text: str) -> TypeTarget:
        """From what ``str`` made of one."""
        kind, code, *key = text.split(":")
        return cls(kind, code, key[0] if key else "")


class Order(NamedTuple):
    """One order of another system, its words beside what the map makes of them (empty: unmapped)."""

    number: str
    created_at: datetime
    is_closed: bool
    closed_at: datetime | None
    due_at: datetime | None
    on_time: bool | None
    type_words: str
    type: TypeTarget | None
    unit_words: str
    unit: str
    street_words: str
    street: str
    community_words: str
    community: str
    source: str
    words: str
    place: str
    x: float | None
    y: float | None
    name: str
    phone: str
    said: dict[str, str]
    said_hash: str
    limit_days: int | None = None
    """Work days that orders of its kind have, where it prints no limit of its own."""


@dataclass(frozen=True)
class ImportMap:
    """A map as it was written. Tables: their word → our code."""

    source: str
    name: str
    columns: Mapping[str, str]
    tables: Mapping[str, Mapping[str, Any]]
    unmapped: Mapping[str, str]
    dates: tuple[str, ...]
    coordinates: str
    empty: frozenset[str]
    lines: Mapping[tuple[str, str], int] = field(default_factory=dict)

    @cached_property
    def order(self) -> tuple[tuple[str, str], ...]:
        """(what it is, the file's column), by name."""
        return tuple(sorted(self.columns.items()))

    def line_of(self, table: str, key: str) -> int:
        """Where a key stands in the file; 0 where that could not be made out."""
        return self.lines.get((table, key), 0)

    def fault(self, table: str, key: str, words: str) -> MapFault:
        """A fault of that key."""
        return MapFault(words, line=self.line_of(table, key), key=f"[{table}] {key}" if table else key)


# ---- reading a map


def read_map(text: str) -> ImportMap:
    """The map, or MapFault with the line and the key of the first thing that is wrong."""
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"line (\d+)", str(error))
        raise MapFault(_("不是正确的 TOML：%(error)s") % {"error": error}, line=int(at[1]) if at else 0) from error
    return _Reader(given, _lines_of(text)).read()


def _lines_of(text: str) -> dict[tuple[str, str], int]:
    """(table, key) → line, for the plain form that maps are written in."""
    found: dict[tuple[str, str], int] = {}
    table = ""
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if heading := re.fullmatch(r"\[\s*([\w-]+)\s*\]\s*(?:#.*)?", stripped):
            table = heading[1]
            found[table, ""] = number
        elif entry := re.match(r"""(?:"((?:[^"\\]|\\.)*)"|'([^']*)'|([\w-]+))\s*=""", stripped):
            key = next(part for part in entry.groups() if part is not None)
            found[table, key.replace('\\"', '"').replace("\\\\", "\\")] = number
    return found


class _Reader:
    """Checks a parsed map table by table."""

    def __init__(self, given: Mapping[str, Any], lines: Mapping[tuple[str, str], int]) -> None:
        self.given, self.lines = given, lines

    def read(self) -> ImportMap:
        for key in self.given:
            if key not in PLAIN | TABLES:
                self.wrong("", key, _("不认识这一项，可以写：%(known)s") % {"known": "、".join(sorted(PLAIN | TABLES))})
        for table in TABLES & self.given.keys():
            if not isinstance(self.given[table], dict):
                self.wrong("", table, _("要写成一节 [%(table)s]") % {"table": table})
        return ImportMap(
            source=self._source(),
            name=str(self.given.get("name", "")),
            columns=self._columns(),
            tables=self._tables(),
            unmapped=self._unmapped(),
            dates=self._dates(),
            coordinates=self._coordinates(),
            empty=frozenset({"", *map(str, self.given.get("empty", ()))}),
            lines=self.lines,
        )

    def wrong(self, table: str, key: str, words: str) -> None:
        named = f"[{table}] {key}".rstrip() if table else key
        raise MapFault(words, line=self.lines.get((table, key), self.lines.get((table, ""), 0)), key=named)

    def _source(self) -> str:
        source = self.given.get("source", "")
        if not isinstance(source, str) or not _SOURCE.fullmatch(source):
            self.wrong("", "source", _("请给来源一个代码：小写字母开头，只用小写字母、数字、横线和下划线，最多 40 个"))
        return str(source)

    def _columns(self) -> dict[str, str]:
        columns: dict[str, Any] = self.given.get("columns", {})
        for key, value in columns.items():
            if key not in COLUMNS:
                known = "、".join(sorted(COLUMNS))
                self.wrong("columns", key, _("不认识这一项，可以写：%(known)s") % {"known": known})
            if not isinstance(value, str) or not value:
                self.wrong("columns", key, _("要写文件里那一列的名字"))
        for key in ("number", "created"):
            if key not in columns:
                self.wrong("columns", key, _("缺少：单号（number）和上报时间（created）各是哪一列"))
        if not {"type", "sub_type"} & columns.keys():
            self.wrong("columns", "type", _("缺少：类型（type 或 sub_type）是哪一列"))
        if self.given.get("limits") and "kind" not in columns:
            self.wrong("columns", "kind", _("写了 [limits]，就要说明工单种类（kind）是哪一列"))
        if len({"x", "y"} & columns.keys()) == 1:
            self.wrong("columns", "x", _("坐标要 x 和 y 两列"))
        return dict(columns)

    def _tables(self) -> dict[str, dict[str, Any]]:
        checks: dict[str, Callable[[str, str, Any], Any]] = {
            "types": self._type,
            "units": self._text,
            "sources": self._text,
            "streets": self._text,
            "communities": self._text,
            "states": self._state,
            "on_time": self._yes_or_no,
            "limits": self._days,
        }
        return {
            table: {key: check(table, key, value) for key, value in self.given.get(table, {}).items() if value != ""}
            for table, check in checks.items()
        }

    def _type(self, table: str, key: str, value: Any) -> TypeTarget | None:
        try:
            return TypeTarget.of(value)
        except (ValueError, TypeError):
            self.wrong(table, key, _('要写我们的类型代码，如 "0110"、"0111/pile"、"component:1101"，或留空待核对'))
            return None

    def _text(self, table: str, key: str, value: Any) -> str:
        if not isinstance(value, str):
            self.wrong(table, key, _("要写一个加引号的代码"))
        return str(value)

    def _state(self, table: str, key: str, value: Any) -> bool:
        if value not in {"open", "closed"}:
            self.wrong(table, key, _('只能写 "open" 或 "closed"'))
        return bool(value == "closed")

    def _yes_or_no(self, table: str, key: str, value: Any) -> bool:
        if not isinstance(value, bool):
            self.wrong(table, key, _("只能写 true 或 false"))
        return bool(value)

    def _days(self, table: str, key: str, value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MOST_LIMIT_DAYS:
            self.wrong(table, key, _("要写工作日数，1 到 %(most)d") % {"most": MOST_LIMIT_DAYS})
        return int(value)

    def _unmapped(self) -> dict[str, str]:
        given: dict[str, Any] = self.given.get("unmapped", {})
        for key, value in given.items():
            choices = UNMAPPED.get(key)
            if choices is None and key not in {"source", "street"}:
                known = "、".join([*UNMAPPED, "source", "street"])
                self.wrong("unmapped", key, _("不认识这一项，可以写：%(known)s") % {"known": known})
            if choices is not None and value not in choices:
                self.wrong("unmapped", key, _("只能写：%(known)s") % {"known": "、".join(choices)})
        plain = {key: choices[0] for key, choices in UNMAPPED.items()}
        return {**plain, "source": "outside", "street": "", **{key: str(value) for key, value in given.items()}}

    def _dates(self) -> tuple[str, ...]:
        given = self.given.get("dates", [_ISO])
        formats = (given,) if isinstance(given, str) else tuple(given) if isinstance(given, list) else ()
        if not formats or not all(isinstance(one, str) and "%" in one for one in formats):
            self.wrong("", "dates", _('要写日期的格式，如 "%%Y-%%m-%%d %%H:%%M:%%S"') % {})
        return formats

    def _coordinates(self) -> str:
        given = self.given.get("coordinates", "wgs84")
        if given not in set(CoordinateSystem):
            known = "、".join(CoordinateSystem)
            self.wrong("", "coordinates", _("不认识的坐标系，可以写：%(known)s") % {"known": known})
        return str(given)


# ---- reading an order


def order_of(given: ImportMap, row: Mapping[str, str]) -> Order:
    """One row by the map; BadRow with the reason if it cannot be read."""
    told = _cells(given, row)
    number = told["number"]
    if not number or len(number) > 100:
        raise BadRow(_("没有单号，或单号超过 100 个字"))
    created_at = _moment(given, told["created"])
    if created_at is None:
        raise BadRow(_("没有上报时间"))
    closed_at = _moment(given, told.get("closed", ""))
    if closed_at is not None and closed_at < created_at:
        raise BadRow(_("办结时间早于上报时间"))
    on_time = given.tables["on_time"].get(told.get("on_time", ""))
    x, y = _point(told.get("x", ""), told.get("y", ""))
    type_words, target = _type_of(given, told.get("type", ""), told.get("sub_type", ""))
    return Order(
        number=number,
        created_at=created_at,
        is_closed=_is_closed(given, told, closed_at, on_time),
        closed_at=closed_at,
        due_at=_moment(given, told.get("due", "")),
        on_time=on_time,
        type_words=type_words,
        type=target,
        unit_words=told.get("unit", "")[:200],
        unit=str(given.tables["units"].get(told.get("unit", ""), "")),
        street_words=told.get("street", "")[:200],
        street=str(given.tables["streets"].get(told.get("street", ""), "")),
        community_words=told.get("community", "")[:200],
        community=str(given.tables["communities"].get(told.get("community", ""), "")),
        source=str(given.tables["sources"].get(told.get("source", ""), given.unmapped["source"])),
        words=told.get("words", ""),
        place=told.get("place", "")[:200],
        x=x,
        y=y,
        name=told.get("contact_name", ""),
        phone=told.get("contact_phone", ""),
        said={name: told[name][:200] for name in SAID if told.get(name)},
        limit_days=given.tables["limits"].get(told.get("kind", "")),
        said_hash=hashlib.sha256("\x1f".join([f"{name}={cell}" for name, cell in told.items()]).encode()).hexdigest(),
    )


def _cells(given: ImportMap, row: Mapping[str, str]) -> dict[str, str]:
    """What the map names, in the order of the names."""
    found, empty = {}, given.empty
    for name, column in given.order:
        value = row.get(column, "").strip()
        found[name] = "" if value in empty else value
    return found


def _moment(given: ImportMap, text: str) -> datetime | None:
    """A moment in the street's own zone; None for an empty cell."""
    if not text:
        return None
    for form in given.dates:
        try:
            found = datetime.fromisoformat(text) if form == _ISO else datetime.strptime(text, form)  # noqa: DTZ007
        except ValueError:
            continue
        if not 1990 <= found.year <= 2100:
            break
        return found if found.tzinfo else found.replace(tzinfo=ZONE)
    raise BadRow(_("看不懂的时间“%(text)s”") % {"text": text[:40]})


def _point(x: str, y: str) -> tuple[float | None, float | None]:
    if not x or not y:
        return None, None
    try:
        return float(x), float(y)
    except ValueError:
        raise BadRow(_("看不懂的坐标“%(x)s, %(y)s”") % {"x": x[:20], "y": y[:20]}) from None


def _type_of(given: ImportMap, major: str, minor: str) -> tuple[str, TypeTarget | None]:
    """The source's words for the type, the narrowest that the map knows first, and what they stand for."""
    types = given.tables["types"]
    for words in (f"{major}/{minor}", minor, major):
        if words in types:
            return words, types[words]
    return (minor or major)[:200], None


def _is_closed(given: ImportMap, told: Mapping[str, str], closed_at: datetime | None, on_time: bool | None) -> bool:
    state = told.get("state", "")
    if state in given.tables["states"]:
        return bool(given.tables["states"][state])
    if closed_at is not None or on_time is not None:
        return True
    if given.unmapped["state"] == "reject":
        raise BadRow(_("不知道“%(state)s”是已结还是未结") % {"state": state or "-"})
    return given.unmapped["state"] == "closed"


def missing_columns(given: ImportMap, headings: Iterable[str]) -> list[MapFault]:
    """A fault for each column that the map names and the file lacks."""
    there = set(headings)
    return [
        given.fault("columns", key, _("文件里没有“%(column)s”这一列") % {"column": column})
        for key, column in given.columns.items()
        if column not in there
    ]
