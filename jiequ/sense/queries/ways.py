"""Mosaics, servers and fixed cameras as pages show them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db.models import Count, OuterRef, Q, Subquery
from django.utils.translation import gettext as _

from ..models import Asset, AssetKind, AssetState, Camera, CameraFault, Flight, Mosaic, OdmServer
from ..words import why

SHOWN = 50
TONES = {
    "waiting": "plain",
    "sending": "go",
    "running": "go",
    "fetching": "go",
    "done": "done",
    "failed": "stop",
    "stopped": "plain",
}
MOVING = ("waiting", "sending", "running", "fetching")


@dataclass(frozen=True, slots=True)
class MosaicRow:
    """A mosaic in a list: its state in words, why it failed or what holds it up."""

    mosaic: Mosaic
    state: str
    tone: str
    why: str
    is_moving: bool


def mosaics(flight: Flight) -> list[MosaicRow]:
    """A flight's, newest first. One SELECT."""
    found = Mosaic.objects.filter(flight=flight).select_related("server", "ortho", "dsm").order_by("-pk")
    return [mosaic_row(one) for one in found[:SHOWN]]


def mosaic_row(one: Mosaic) -> MosaicRow:
    """As it is shown: the server's own words stand beside ours."""
    state, is_moving = str(one.get_state_display()), one.state in MOVING
    if is_moving and one.percent:
        state = f"{state} {one.percent}%"
    code = one.trouble if is_moving else one.reason
    words = why(code) if code else ""
    if one.reason == "given_up" and one.trouble:
        words = f"{words} {why(one.trouble)}"
    said = _("服务器说：%(words)s") % {"words": one.said} if one.said else ""
    return MosaicRow(one, state, TONES[one.state], " ".join(part for part in (words, said) if part), is_moving)


@dataclass(frozen=True, slots=True)
class Photos:
    """How many photos a flight has, and how many of them can go to a server."""

    usable: int
    unusable: int
    sendable: int


def photos(flight: Flight) -> Photos:
    """One SELECT."""
    ready = Q(kind=AssetKind.PHOTO, state=AssetState.READY)
    told = Asset.objects.filter(flight=flight).aggregate(
        usable=Count("pk", filter=ready),
        unusable=Count("pk", filter=Q(state=AssetState.UNUSABLE)),
        sendable=Count("pk", filter=ready & Q(item__assets__original__isnull=False)),
    )
    return Photos(**told)


def servers() -> list[tuple[OdmServer, str]]:
    """Every server with what troubled it at the last try, those in use first. One SELECT."""
    found = OdmServer.objects.order_by("-pk")
    rows = [(one, why(one.trouble) if one.trouble else "") for one in found]
    return sorted(rows, key=lambda row: (row[0].ended_at is not None, row[0].name))


@dataclass(frozen=True, slots=True)
class CameraRow:
    """A camera in the list: how it goes in words, what is wrong since when, its newest picture that can be shown."""

    camera: Camera
    state: str
    tone: str
    why: str
    since: datetime | None
    shown: Asset | None = None


def cameras(street_id: int) -> list[CameraRow]:
    """A street's cameras, those with a fault first. Three SELECTs."""
    usable = Asset.objects.filter(camera=OuterRef("pk"), state=AssetState.READY).order_by("-taken_at", "-pk")
    found = Camera.objects.filter(street_id=street_id).annotate(shown_id=Subquery(usable.values("pk")[:1]))
    rows_of = list(found.select_related("point").order_by("name"))
    shown = Asset.objects.defer("item", "footprint").in_bulk([one.shown_id for one in rows_of if one.shown_id])
    faults = {one.camera_id: one for one in CameraFault.objects.filter(camera__street_id=street_id, is_open=True)}
    rows = [replace(camera_row(one, faults.get(one.pk)), shown=shown.get(one.shown_id)) for one in rows_of]
    return sorted(rows, key=lambda row: (not row.camera.is_on, row.tone != "stop", row.camera.name))


def camera_row(one: Camera, fault: CameraFault | None) -> CameraRow:
    """As it is shown."""
    if not one.is_on:
        return CameraRow(one, _("已停用"), "plain", "", None)
    if fault is not None:
        return CameraRow(one, _("有故障"), "stop", why(fault.code), fault.first_at)
    if one.seen_at is None:
        return CameraRow(one, _("等第一张"), "plain", "", None)
    return CameraRow(one, _("正常"), "done", "", None)


def open_fault(camera: Camera) -> CameraFault | None:
    """What keeps it from being used now. One SELECT."""
    return camera.faults.filter(is_open=True).first()


def faults(camera: Camera) -> list[tuple[CameraFault, str]]:
    """Newest first, in words. One SELECT."""
    return [(one, why(one.code)) for one in camera.faults.order_by("-last_at", "-pk")[:SHOWN]]


def snapshots(camera: Camera) -> list[Asset]:
    """Its usable pictures, newest first. One SELECT."""
    found: Any = camera.snapshots.filter(state=AssetState.READY).defer("item", "footprint").order_by("-taken_at", "-pk")
    return list(found[:SHOWN])
