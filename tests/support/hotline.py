"""A small 12345 hotline: it sends orders, answers and call-backs, and is sent letters by a server on this machine.

It does what a real one does on a bad day: it sends things twice and out of order, answers 500, hangs up with the letter taken,
or says nothing at all.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.test import Client

from jiequ.core.worktime import ZONE
from jiequ.doors.hotline import services
from jiequ.doors.hotline.models import Source
from tests.actors import NOW, World
from tests.support.loopback import Handler, listening

MAP = """source = "gz"
name = "广州 12345"
coordinates = "cgcs2000"

[columns]
number = "工单编号"
created = "来电时间"
due = "办理时限"
type = "问题类别"
words = "诉求内容"
place = "事发地址"
community = "所属社区"
unit = "承办单位"
x = "经度"
y = "纬度"
contact_name = "caller.name"
contact_phone = "caller.phone"

[types]
"环境卫生" = "0110"

[units]
"环卫所" = "hw"
"""


@dataclass
class Call:
    """One letter as it arrived."""

    key: str
    body: dict[str, Any]
    headers: dict[str, str]


@dataclass
class Hotline:
    """``faults``: for the calls to come, then none: a status, "hang", or "taken" (kept, and the line breaks then)."""

    token: str = ""
    slug: str = "gz"
    url: str = ""
    calls: list[Call] = field(default_factory=list)
    letters: dict[str, dict[str, Any]] = field(default_factory=dict)
    faults: list[int | str] = field(default_factory=list)
    hang_seconds: float = 1.0

    def order(self, world: World, number: str = "GZ-1", **changes: Any) -> dict[str, Any]:
        """An order as it would be sent."""
        lon, lat = world.point_in("a")
        local = NOW.astimezone(ZONE)
        return {
            "工单编号": number,
            "来电时间": local.strftime("%Y-%m-%d %H:%M:%S"),
            "办理时限": local.replace(day=9).strftime("%Y-%m-%d %H:%M:%S"),
            "问题类别": "环境卫生",
            "诉求内容": "河边有一堆垃圾，请打 13912345678",
            "事发地址": "东涌桥头",
            "经度": lon,
            "纬度": lat,
            "承办单位": "环卫所",
            "caller": {"name": "周女士", "phone": "13912345678"},
        } | changes

    def send(self, what: str, given: Any, *, token: str | None = None) -> Any:
        """One POST to our door."""
        body = given if isinstance(given, bytes | str) else json.dumps(given, ensure_ascii=False)
        headers = {"Authorization": f"Bearer {self.token if token is None else token}"}
        return Client().post(f"/hotline/v1/{self.slug}/{what}", body, content_type="application/json", headers=headers)

    def take(self, call: Call) -> None:
        """A letter is kept once, whatever comes again under its key."""
        self.calls.append(call)
        self.letters.setdefault(call.key, call.body)


def make_source(world: World, *, is_trusted: bool = True, street_id: int | None = -1, **ways: Any) -> tuple[Source, str]:
    """A source with the map above, and its token."""
    by = world.actor("xi")
    street = world.street.pk if street_id == -1 else street_id
    source, token = services.make_source(name="广州热线", slug="gz", street_id=street, is_trusted=is_trusted, by=by, at=NOW)
    services.save_map(source, MAP, by=by, at=NOW)
    if ways:
        given = {"way_out": "none", "return_minutes": "60", "satisfied_from": "4"} | ways
        for rate, parts in {"response": ("accepted_ontime", "sent"), "solve": ("solved", "heard")}.items():
            given |= {f"{rate}_above": parts[0], f"{rate}_below": parts[1]}
        given |= {"satisfy_above": "satisfied", "satisfy_below": "heard"}
        services.change_source(source, given, by=by, at=NOW)
        source.refresh_from_db()
    return source, token


@contextmanager
def hotline() -> Iterator[Hotline]:
    """Its server, for the time of a test."""
    there = Hotline()

    class Theirs(Handler):
        def do_POST(self) -> None:
            body = json.loads(self.body())
            fault = there.faults.pop(0) if there.faults else 200
            if fault == "hang":
                time.sleep(there.hang_seconds)
                return
            if fault in {200, "taken"}:
                there.take(Call(self.headers.get("Idempotency-Key", ""), body, dict(self.headers)))
            if fault == "taken":
                return
            self.send(int(fault))

    with listening(Theirs) as address:
        there.url = f"{address}/letters"
        yield there
