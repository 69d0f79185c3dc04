"""What the programs' door takes and gives, and how pydantic's complaints become our one kind of refusal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from django.utils.translation import gettext as _
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from jiequ.core.errors import Refusal
from jiequ.grid.rules import CoordinateSystem

Degrees = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
REFERENCE = r"^[A-Za-z0-9._:-]{1,100}$"


class Schema(BaseModel):
    """A shape of ours: plain pydantic. Ninja's own looks through every field for methods and costs twice as much."""


class Strict(Schema):
    """What comes in: a field that nobody knows is refused, so that none is set by accident or by guessing."""

    model_config = ConfigDict(extra="forbid")


class Told(Strict):
    """What a report says, whoever hands it in."""

    words: Annotated[str, Field(max_length=2000)] = ""
    lon: Degrees | None = None
    lat: Degrees | None = None
    system: CoordinateSystem = CoordinateSystem.WGS84
    accuracy_m: Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)] | None = None
    community: Annotated[str, Field(pattern=r"^\d{12}$")] | None = None
    unit_grid: Annotated[str, Field(pattern=r"^\d{15}$")] | None = None
    place: Annotated[str, Field(max_length=200)] = ""
    kind: Literal["event", "component"] = "event"
    type: Annotated[str, Field(max_length=8)] | None = None
    condition: Annotated[str, Field(max_length=30)] | None = None
    urgent: bool = False
    confidential: bool = False
    seen_at: AwareDatetime | None = None
    happened_from: AwareDatetime | None = None
    happened_until: AwareDatetime | None = None
    contact_name: Annotated[str, Field(max_length=40)] = ""
    contact_phone: Annotated[str, Field(max_length=30)] = ""


class ReportIn(Told):
    """An outside system's report. As a form every field is text, and photos may come along; as JSON there are no photos."""

    source_ref: Annotated[str, Field(pattern=REFERENCE)]
    outer_due_at: AwareDatetime | None = None


class ReportedOut(Schema):
    """The answer to a report, and to every repeat of it: nothing in it ever changes."""

    ok: Literal[True] = True
    source_ref: str
    number: str
    received_at: datetime
    url: str


class StepOut(Schema):
    """One line of the timeline as a reporter sees it: what and when, by which departments, never by whom."""

    step: str
    words: str
    at: datetime
    departments: list[str]


class ProgressOut(Schema):
    """Where a report stands."""

    ok: Literal[True] = True
    source_ref: str
    number: str
    merged_into: str | None
    state: str
    state_words: str
    is_ended: bool
    promised_at: datetime | None
    is_promise_provisional: bool
    is_late: bool
    lead: str | None
    reply: str
    timeline: list[StepOut]


class RefusedOut(Schema):
    """Every refusal: what is wrong in a sentence, and the facts as data."""

    ok: Literal[False] = False
    code: str
    message: str
    facts: dict[str, Any]


def refusal_of(errors: Iterable[Mapping[str, Any]]) -> Refusal:
    """The refusal for what pydantic found: the first sentence, and all of them by field in ``facts["fields"]``."""
    fields: dict[str, list[str]] = {}
    for error in errors:
        name = str(next((part for part in reversed(error["loc"]) if isinstance(part, str)), ""))[:40]
        fields.setdefault(name, []).append(_sentence(str(error["type"]), name, error.get("ctx") or {}))
    first = next(iter(fields.values()))[0]
    return Refusal("invalid", first, facts={"fields": fields})


def _sentence(kind: str, name: str, limits: Mapping[str, Any]) -> str:
    if kind == "missing":
        return _("缺少“%(field)s”。") % {"field": name}
    if kind == "extra_forbidden":
        return _("不认识“%(field)s”这一项。") % {"field": name}
    if kind == "string_too_long":
        return _("“%(field)s”最多 %(n)d 个字。") % {"field": name, "n": limits["max_length"]}
    if kind in {"float_parsing", "float_type", "finite_number"}:
        return _("“%(field)s”要是一个数字。") % {"field": name}
    if kind.startswith(("datetime", "timezone")):
        return _("“%(field)s”要是带时区的时间，例如 2026-03-04T10:00:00+08:00。") % {"field": name}
    if kind.startswith("bool"):
        return _("“%(field)s”要是 true 或 false。") % {"field": name}
    if kind in {"model_type", "dict_type", "model_attributes_type"}:
        return _("内容要是一个 JSON 对象。")
    return _("“%(field)s”的值不对。") % {"field": name}
