"""What the Open311 tests share: the street opened, questions as anybody asks them, forms as a key's holder posts them."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

from django.test import Client
from PIL import Image

from jiequ.cases.queries import types
from jiequ.core.jobs import work_once
from jiequ.doors.open311.services import opening
from tests.actors import NOW
from tests.casework import Casework
from tests.programs import program_of

V2 = "/open311/v2"


def open_up(work: Casework, *, both: bool = False) -> None:
    """The street (or both) opened by 系."""
    for street in (work.world.street, work.world.other_street)[: 2 if both else 1]:
        opening.open_street(street_id=street.pk, contact="指挥中心 020-12345678", by=work.actor("xi"), at=NOW)
    types.forget()


def get(what: str, *, key: str = "", language: str = "zh-hans", **query: str) -> Any:
    """The answer to a question."""
    headers = {"Accept-Language": language} | ({"Authorization": f"Bearer {key}"} if key else {})
    return Client().get(f"{V2}/{what}", query, headers=headers)


def rows(what: str, **query: Any) -> Any:
    """The document of a good answer."""
    answer = get(what, **query)
    assert answer.status_code == 200, answer.content.decode()
    return answer.json()


def post(what: str = "requests.json", *, reference: str = "", **form: Any) -> Any:
    """The answer to a form; ``reference`` is the caller's own number."""
    headers = {"Idempotency-Key": reference} if reference else {}
    return Client(enforce_csrf_checks=True).post(f"{V2}/{what}", form, headers=headers)


def key_of(work: Casework, who: str = "lin") -> str:
    """A key in the name of an actor."""
    return program_of(work.world, who, "open311", title="市政 App").token


def a_request(work: Casework, **changes: Any) -> dict[str, Any]:
    """A form that is good."""
    lon, lat = work.world.point_in("a")
    return {"service_code": "0110", "lat": lat, "long": lon, "description": "河边有一堆垃圾"} | changes


def jpeg(width: int, height: int) -> bytes:
    """A photo's bytes."""
    file = io.BytesIO()
    Image.new("RGB", (width, height), (90, 120, width % 255)).save(file, "JPEG")
    return file.getvalue()


def work_all() -> None:
    """Do every job that is due within a minute."""
    for _ in range(10):
        if not sum(work_once(at=NOW + timedelta(minutes=1), limit=50, outside=outside) for outside in (False, True)):
            break
