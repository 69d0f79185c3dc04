"""The system administrator's part: a hotline's source, its key, its map, a pause."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import IntegrityError
from django.utils.translation import gettext as _

from jiequ.cases import services as cases
from jiequ.cases.import_map import ImportMap, MapFault, read_map
from jiequ.cases.models import SystemKind
from jiequ.cases.services.import_meaning import Meanings
from jiequ.core import audit, outgoing, secrets
from jiequ.core.db import writing
from jiequ.core.errors import Forbidden, NotFound, Refusal
from jiequ.people.rules import Actor, Role

from .. import purposes, rules
from ..models import Source, WayOut

SLUG = re.compile(r"[a-z][a-z0-9-]{1,39}")
LONGEST_MAP = 200_000
RETURN_MINUTES = (10, 2880)
DRAFT = Path(__file__).resolve().parents[1] / "draft_map.toml"


def draft_map(source: Source) -> str:
    """A first map to be edited: the columns that hotlines usually have."""
    text = DRAFT.read_text(encoding="utf-8")
    return text.format(slug=source.slug, name=source.system.name.replace('"', ""))


def source_of_token(token: str, *, slug: str) -> Source:
    """The source whose key this is. NotFound for a key of another source and for a system that is no hotline's: told alike."""
    system = cases.system_of_token(token)
    found = Source.objects.select_related("system__street").filter(system=system, slug=slug).first()
    if found is None:
        raise NotFound("no_such_source", _("没有这个热线来源。"))
    return found


def source_by_id(source_id: int) -> Source:
    """The source; NotFound if there is none."""
    found = Source.objects.select_related("system__street").filter(pk=source_id).first()
    if found is None:
        raise NotFound("no_such_source", _("没有这个热线来源。"))
    return found


def make_source(
    *, name: str, slug: str, street_id: int | None, is_trusted: bool, by: Actor, at: datetime
) -> tuple[Source, str]:
    """A new source with a first map, and its key, which is shown once and kept as a hash only."""
    require(by)
    if not SLUG.fullmatch(slug):
        raise Refusal("bad_slug", _("代号用小写字母开头，只用小写字母、数字和横线，2 至 40 个。"), facts={"field": "slug"})
    try:
        with writing():
            system, token = cases.make_system(
                name=name, kind=SystemKind.HOTLINE, street_id=street_id, is_trusted=is_trusted, by=by, at=at
            )
            source = Source(slug=slug, system=system, made_at=at, made_by=by.person_id)
            source.map_text = draft_map(source)
            source.save(force_insert=True)
            record(by, at, "hotline.made", source)
    except IntegrityError:
        raise Refusal("slug_taken", _("已经有用这个代号的热线来源。"), facts={"field": "slug"}) from None
    return source, token


def renew_key(source: Source, *, by: Actor, at: datetime) -> str:
    """Another key; the one before stops at once."""
    require(by)
    _system, token = cases.renew_token(system_id=source.system_id, by=by, at=at)
    return token


def change_source(source: Source, given: Mapping[str, Any], *, by: Actor, at: datetime) -> None:
    """Ways, return window and formulas. ``out_key`` empty: as it is. Raises Refusal that names the field."""
    require(by)
    way_out = given.get("way_out", "")
    if way_out not in WayOut.values:
        raise Refusal("bad_way", _("请选择回传方式。"), facts={"field": "way_out"})
    url = str(given.get("out_url", "")).strip()
    if way_out == WayOut.HTTP or url:
        outgoing.target_of(url)
    values: dict[str, Any] = {
        "takes_files": bool(given.get("takes_files")),
        "way_out": way_out,
        "out_url": url,
        "return_minutes": _whole(given, "return_minutes", *RETURN_MINUTES),
        "satisfied_from": _whole(given, "satisfied_from", 1, 5),
        "formulas": {rate: _formula(given, rate) for rate in rules.RATES},
    }
    if key := str(given.get("out_key", "")).strip():
        values["out_key_sealed"] = secrets.seal(key[:200], purposes.KEY)
    with writing():
        Source.objects.filter(pk=source.pk).update(**values)
        record(by, at, "hotline.changed", source, way=str(way_out))


def _whole(given: Mapping[str, Any], name: str, least: int, most: int) -> int:
    text = str(given.get(name, "")).strip()
    if not (text.isascii() and text.isdigit() and len(text) < 6 and least <= int(text) <= most):
        words = _("请填 %(least)d 到 %(most)d 之间的数。") % {"least": least, "most": most}
        raise Refusal("bad_number", words, facts={"field": name})
    return int(text)


def _formula(given: Mapping[str, Any], rate: str) -> list[str]:
    above, below = given.get(f"{rate}_above", ""), given.get(f"{rate}_below", "")
    if above not in rules.ABOVE[rate] or below not in rules.BELOW[rate]:
        raise Refusal("bad_formula", _("请从列出的项里选择分子和分母。"), facts={"field": f"{rate}_above"})
    return [str(above), str(below)]


def save_map(source: Source, text: str, *, by: Actor, at: datetime) -> None:
    """Another map. Refusal with every fault, line and key, and nothing stored."""
    require(by)
    if faults := map_faults(source, text, at=at):
        raise Refusal("bad_map", "；".join(faults), facts={"field": "map_text", "faults": faults})
    with writing():
        Source.objects.filter(pk=source.pk).update(map_text=text)
        record(by, at, "hotline.mapped", source)
    source.map_text = text


def map_faults(source: Source, text: str, *, at: datetime) -> list[str]:
    """What is wrong with a map, in words; nothing if it may be used."""
    if len(text) > LONGEST_MAP:
        return [_("映射太长，最多 %(most)d 字。") % {"most": LONGEST_MAP}]
    try:
        given = given_of(source, text)
    except MapFault as fault:
        return [str(fault)]
    meanings = Meanings(given, street_id=source.system.street_id, at=at)
    return [str(fault) for fault in sorted(meanings.faults(), key=lambda one: one.line)]


def given_of(source: Source, text: str = "") -> ImportMap:
    """The map as it is read for this source: its words wait for their meaning under the system's name. Raises MapFault."""
    given = read_map(text or source.map_text)
    if given.source != source.slug:
        raise given.fault("", "source", _("要写这个来源的代号 %(slug)s") % {"slug": source.slug})
    return replace(given, source=source.system.name)


def pause(source: Source, *, by: Actor, at: datetime) -> None:
    """Nothing is taken and nothing is sent until it goes on; what waits, waits."""
    require(by)
    with writing():
        if Source.objects.filter(pk=source.pk, paused_at=None).update(paused_at=at):
            record(by, at, "hotline.paused", source)


def resume(source: Source, *, by: Actor, at: datetime) -> None:
    """Go on: what waited is sent now."""
    from .letters import send_waiting

    require(by)
    with writing():
        if Source.objects.filter(pk=source.pk, paused_at__isnull=False).update(paused_at=None):
            record(by, at, "hotline.resumed", source)
            send_waiting(source, at=at)


def require(by: Actor) -> None:
    """Forbidden unless the system administrator."""
    if not by.has(Role.SYSTEM_ADMIN, Role.SYSTEM):
        raise Forbidden("not_your_role", _("这件事不属于您的岗位。需要的话，请联系系统管理员。"))


def record(by: Actor, at: datetime, action: str, source: Source, **facts: Any) -> None:
    """The audit row of what happened to a source."""
    audit.record(
        street_id=source.system.street_id,
        person_id=by.person_id,
        action=action,
        object_kind="hotline_source",
        object_id=source.pk,
        at=at,
        facts=facts,
    )
