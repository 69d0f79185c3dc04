"""What an order's words mean here: street, place, type, department, source. Read once a run, then only looked up."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.utils.translation import gettext as _

from jiequ.core.models import Street
from jiequ.grid.models import Community
from jiequ.grid.queries import locate
from jiequ.grid.rules import is_position, q18, to_canonical
from jiequ.people.models import Department

from ..import_map import BadRow, ImportMap, MapFault, Order, TypeTarget
from ..models import FilingCondition, ImportIssue, IssueKind, Source, TypeEdition
from ..queries.types import in_force

_ENDING = re.compile(r"(社区居委会|社区工作站|居委会|社区|村委会|村)$")  # data
_BRACKET = re.compile(r"[（(][^（）()]*[）)]$")


@dataclass(frozen=True, slots=True)
class Filed:
    """A filing condition, as far as a case needs it."""

    id: int
    event_type_id: int
    name_zh: str
    is_confidential: bool


WAITING = Filed(0, 0, "", False)
"""Stands for ``types.type_for_imports`` until a batch is written: a closed order whose type waits for its meaning."""


class Site(NamedTuple):
    """Where, as the case stores it."""

    street_id: int
    community_id: int | None = None
    unit_grid_id: int | None = None
    lon: float | None = None
    lat: float | None = None
    q18: int | None = None


class Meaning(NamedTuple):
    """Everything an order's words came to."""

    place: Site
    condition: Filed | None
    department_id: int | None
    source: str


class Meanings:
    """The look-ups of one run. Faults of the map (codes that do not exist here) come from ``faults``."""

    def __init__(self, given: ImportMap, *, street_id: int | None, at: datetime) -> None:
        self.given, self.at = given, at
        self.streets_by_id = {street.pk: street for street in Street.objects.filter(is_active=True)}
        self.streets = {word: s for s in self.streets_by_id.values() for word in (s.code9, s.name_zh, s.name_en) if word}
        self.fallback = self.streets_by_id.get(street_id) if street_id else self.streets.get(given.unmapped["street"])
        self.communities: dict[tuple[int, str], int] = {}
        for community in Community.objects.filter(retired_at=None):
            for word in (community.code12, community.name_zh, short_name(community.name_zh)):
                self.communities[community.street_id, word] = community.pk
        self.departments: dict[tuple[int | None, str], int] = {}
        self.read_departments()
        self.conditions = _conditions()
        self.mapped = {
            (street, kind, value): target
            for street, kind, value, target in ImportIssue.objects.filter(system=given.source)
            .exclude(target="")
            .values_list("street_id", "kind", "value", "target")
        }

    def read_departments(self) -> None:
        """The departments as they are now (again, after some were made)."""
        for department in Department.objects.filter(is_active=True).order_by("-pk"):
            for word in (department.key, department.name_zh):
                self.departments[department.street_id, word] = department.pk

    def faults(self) -> list[MapFault]:
        """Codes of the map that stand for nothing here."""
        given, found = self.given, []
        for key, target in given.tables["types"].items():
            if (target.kind, target.code, target.key) not in self.conditions:
                found.append(given.fault("types", key, _("没有类型“%(code)s”，或没有这条立案条件") % {"code": str(target)}))
        keys = {word for _street, word in self.departments}
        for key, target in given.tables["units"].items():
            if target not in keys:
                found.append(given.fault("units", key, _("没有代码为“%(code)s”的部门") % {"code": target}))
        for key, target in given.tables["sources"].items():
            if target not in Source.values:
                known = "、".join(Source.values)
                found.append(given.fault("sources", key, _("只能写：%(known)s") % {"known": known}))
        if given.unmapped["source"] not in Source.values:
            found.append(given.fault("unmapped", "source", _("只能写：%(known)s") % {"known": "、".join(Source.values)}))
        if given.unmapped["street"] and given.unmapped["street"] not in self.streets:
            code = given.unmapped["street"]
            found.append(given.fault("unmapped", "street", _("没有代码为“%(code)s”的街道") % {"code": code}))
        return found

    def of(self, order: Order) -> tuple[Meaning, list[tuple[str, str]]]:
        """The meaning, and the (kind, word) pairs that wait for one. BadRow where the map says to refuse what it lacks."""
        waits: list[tuple[str, str]] = []
        place = self._place(order, waits)
        condition = self._condition(order, place.street_id, waits)
        department_id = self._department(order, place.street_id, waits)
        return Meaning(place, condition, department_id, order.source), waits

    # ---- one by one

    def _wait(self, kind: IssueKind, words: str, waits: list[tuple[str, str]]) -> None:
        choice = self.given.unmapped[kind]
        if choice == "reject":
            raise BadRow(_("%(kind)s“%(words)s”没有对应") % {"kind": kind.label, "words": words or "-"})
        if choice == "review" and words:
            waits.append((str(kind), words))

    def _place(self, order: Order, waits: list[tuple[str, str]]) -> Site:
        lon, lat = _position(order, self.given.coordinates)
        spot = locate(lon, lat) if lon is not None and lat is not None else None
        street = self.streets.get(order.street) or self.streets.get(order.street_words)
        if street is None and spot is not None:
            street = self.streets_by_id.get(spot.street_id)
        street = street or self.fallback
        if street is None:
            words = order.street_words or "-"
            raise BadRow(_("街道“%(words)s”没有对应；请在映射的 [streets] 里写明，或用 --street") % {"words": words})
        key = q18(lon, lat) if lon is not None and lat is not None else None
        if spot is not None and spot.street_id == street.pk:
            return Site(street.pk, spot.community_id, spot.unit_grid_id, lon, lat, key)
        return Site(street.pk, self._community(order, street.pk, waits), None, lon, lat, key)

    def _community(self, order: Order, street_id: int, waits: list[tuple[str, str]]) -> int | None:
        words = order.community_words
        for word in (order.community, words, short_name(words), self.mapped.get((street_id, IssueKind.COMMUNITY, words), "")):
            if word and (found := self.communities.get((street_id, word))):
                return found
        if words:
            self._wait(IssueKind.COMMUNITY, words, waits)
        return None

    def _condition(self, order: Order, street_id: int, waits: list[tuple[str, str]]) -> Filed | None:
        target = order.type
        if target is None and (kept := self.mapped.get((street_id, IssueKind.TYPE, order.type_words))):
            target = TypeTarget.stored(kept)
        found = self.conditions.get((target.kind, target.code, target.key)) if target else None
        if found is not None:
            return found
        self._wait(IssueKind.TYPE, order.type_words, waits)
        return WAITING if order.is_closed else None

    def _department(self, order: Order, street_id: int, waits: list[tuple[str, str]]) -> int | None:
        if not order.unit_words:
            return None
        found = self._named(street_id, order.unit) or self.department_of(street_id, order.unit_words)
        if found is None:
            self._wait(IssueKind.UNIT, order.unit_words, waits)
        return found

    def department_of(self, street_id: int, words: str) -> int | None:
        """The department that a unit's words stand for in a street: by the map, by the review list, by its own name."""
        for word in (
            self.given.tables["units"].get(words, ""),
            self.mapped.get((street_id, IssueKind.UNIT, words), ""),
            words,
            _BRACKET.sub("", words),
        ):
            if found := self._named(street_id, str(word)):
                return found
        return None

    def _named(self, street_id: int, word: str) -> int | None:
        if not word:
            return None
        return self.departments.get((street_id, word)) or self.departments.get((None, word))


def short_name(name: str) -> str:
    """A community's name without what kind of thing it is."""
    return _ENDING.sub("", name) or name


def _position(order: Order, system: str) -> tuple[float | None, float | None]:
    """The point in CGCS2000; none where there is none or it lies nowhere."""
    if order.x is None or order.y is None or not order.x or not order.y:
        return None, None
    if not is_position(order.x, order.y):
        raise BadRow(_("坐标不在地球上：%(x)s, %(y)s") % {"x": order.x, "y": order.y})
    return to_canonical(order.x, order.y, system)


def _conditions() -> dict[tuple[str, str, str], Filed]:
    """(kind, code, condition) → the filing condition in force; the condition empty: the type's first."""
    rows = FilingCondition.objects.filter(edition__in=TypeEdition.objects.filter(in_force()))
    found: dict[tuple[str, str, str], Filed] = {}
    for row in rows.select_related("edition__event_type").order_by("edition", "position"):
        edition = row.edition
        kind, code = edition.event_type.kind, edition.event_type.code
        filed = Filed(row.pk, edition.event_type_id, edition.name_zh, edition.is_confidential)
        found[kind, code, row.key] = filed
        found.setdefault((kind, code, ""), filed)
    return found
