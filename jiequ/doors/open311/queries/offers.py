"""Which streets are open, and which services they offer: our event types, without those that are marked not public."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import Max
from django.utils.translation import gettext as _

from jiequ.cases.queries.types import TypeChoice, current_types, type_by_code
from jiequ.core.errors import NotFound, Refusal
from jiequ.core.models import Street

from ..models import HiddenType, Opening
from ..rules import service_code, type_of


def openings() -> list[Opening]:
    """The streets that everybody may read of. One SELECT."""
    return list(Opening.objects.filter(street__is_active=True).select_related("street").order_by("street__code9"))


def street_of(jurisdiction: str) -> Street:
    """The open street of a ``jurisdiction_id`` (its nine-digit code). One SELECT.

    It may be left out where just one street is open. NotFound for a street that is not open, said like one that is none.
    """
    found = openings()
    if jurisdiction.strip():
        chosen = [one for one in found if one.street.code9 == jurisdiction.strip()]
    else:
        chosen = found if len(found) == 1 else []
        if len(found) > 1:
            text = _("请给出 jurisdiction_id：街道的 9 位代码。")
            raise Refusal("jurisdiction_missing", text, facts={"field": "jurisdiction_id"})
    if not chosen:
        raise NotFound("no_such_jurisdiction", _("没有这个 jurisdiction_id。"))
    return chosen[0].street


def hidden_types() -> frozenset[int]:
    """The types marked not public. One SELECT."""
    return frozenset(HiddenType.objects.values_list("event_type_id", flat=True))


def offered(language: str | None = None) -> Iterator[TypeChoice]:
    """The types that are services. One SELECT, and what ``current_types`` asks."""
    hidden = hidden_types()
    for major in current_types(language):
        yield from (one for one in major.types if one.id not in hidden and not one.is_confidential)


def service_named(code: str) -> TypeChoice:
    """The type of a service code; NotFound if it is none, or not public. One SELECT."""
    kind, type_code = type_of(code)
    found = type_by_code(kind, type_code)
    if found is None or found.is_confidential or found.id in hidden_types():
        raise NotFound("no_such_service", _("没有这个 service_code。"))
    return found


def service(choice: TypeChoice) -> dict[str, Any]:
    """A type as the service list tells it; one of several filing conditions must be named, by the definition."""
    return {
        "service_code": service_code(choice.kind, choice.code),
        "service_name": choice.name,
        "description": _said_of(choice),
        "metadata": len(choice.conditions) > 1,
        "type": "realtime",
        "keywords": ",".join(dict.fromkeys([choice.name, choice.major, *(one.name for one in choice.conditions)]))[:500],
        "group": choice.major,
    }


def _said_of(choice: TypeChoice) -> str:
    return "；".join(_("%(what)s（%(limit)s）") % {"what": one.name, "limit": one.limit} for one in choice.conditions)


def definition(choice: TypeChoice) -> dict[str, Any]:
    """What a report of this type is asked: which filing condition, when it was seen; and what it will be measured by."""
    attributes = [_asked_condition(choice)] if len(choice.conditions) > 1 else []
    attributes.append(
        {
            "variable": True,
            "code": "seen_at",
            "datatype": "datetime",
            "required": False,
            "datatype_description": _("带时区的时间，例如 2026-03-04T10:00:00+08:00"),
            "order": 2,
            "description": _("什么时候看到的？"),
            "values": [],
        }
    )
    attributes += [_measure(one, 3 + place) for place, one in enumerate(choice.conditions)]
    return {"service_code": service_code(choice.kind, choice.code), "attributes": attributes}


def _asked_condition(choice: TypeChoice) -> dict[str, Any]:
    return {
        "variable": True,
        "code": "condition",
        "datatype": "singlevaluelist",
        "required": True,
        "datatype_description": _("选一项"),
        "order": 1,
        "description": _("是哪一种情况？"),
        "values": [{"key": one.key, "name": one.name} for one in choice.conditions],
    }


def _measure(one: Any, order: int) -> dict[str, Any]:
    text = _("%(what)s：处置时限 %(limit)s；结案条件：%(closing)s") % {
        "what": one.name,
        "limit": one.limit,
        "closing": one.closing,
    }
    return {
        "variable": False,
        "code": f"limit_{one.key}",
        "datatype": "text",
        "required": False,
        "datatype_description": None,
        "order": order,
        "description": text,
        "values": [],
    }


def changed_at() -> datetime | None:
    """When the streets or the hidden types last changed. Two SELECTs."""
    moments = [model.objects.aggregate(at=Max("changed_at"))["at"] for model in (Opening, HiddenType)]
    return max((one for one in moments if one), default=None)
