"""The corporation of the emulator beside the small world: what it pushes is handed to our callback as it came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.test import Client

from emulator import scene
from emulator.envelope import Target, sealed
from emulator.testing import Strings
from jiequ.cases import services
from jiequ.cases.models import Case
from jiequ.channels.arrivals.handing import hand_on
from jiequ.channels.wecom.models import Card, WecomUser
from jiequ.core.jobs import work_once
from tests.actors import MovableClock, World
from tests.casework import Casework
from tests.emulator.callback import AES_KEY, TOKEN, Callback, Push

AGENT = f"{scene.CORPID}:{scene.AGENTID}"
AGENT_PATH = f"/corps/{scene.CORPID}/agents/{scene.AGENTID}"
CALLBACK, CONTACTS_CALLBACK = "/callbacks/wecom/", "/callbacks/wecom/contacts/"
WORKS_IN_WECOM = ("chen", "huang", "qian", "he")
CONTACTS_TOKEN, CONTACTS_KEY = "another-token", AES_KEY[::-1]


def settings_of(emulator: Strings) -> dict[str, str]:
    """The settings of an installation that speaks to this emulator."""
    return {
        "WECOM_CORPID": scene.CORPID,
        "WECOM_AGENTID": scene.AGENTID,
        "WECOM_SECRET": scene.AGENT_SECRET,
        "WECOM_TOKEN": TOKEN,
        "WECOM_AES_KEY": AES_KEY,
        "WECOM_CONTACTS_SECRET": scene.CONTACTS_SECRET,
        "WECOM_CONTACTS_TOKEN": CONTACTS_TOKEN,
        "WECOM_CONTACTS_AES_KEY": CONTACTS_KEY,
        "WECOM_API": f"{emulator.base}/qyapi",
        "WECOM_OPEN": f"{emulator.base}/open",
    }


@dataclass
class Office:
    """The corporation, the world, and the hands between them."""

    emulator: Strings
    world: World
    clock: MovableClock
    casework: Casework
    callback: Callback

    def match(self, *names: str) -> None:
        """These members stand for the persons of the same name."""
        for name in names:
            person = self.world.people[name]
            WecomUser.objects.create(userid=name, person=person, matched_by="administrator", matched_at=self.clock.at)

    def to_water(self, **changes: Any) -> Case:
        """A case sent to the water office, whose lead is 钱 and whose handler is 赵; told once the time for Undo is over."""
        case = self.casework.accepted(**changes)
        services.dispatch(case, lead_id=self.casework.water, by=self.world.actor("lin"), at=self.clock.at)
        self.clock.move(seconds=30)
        self.work()
        return case

    def work(self) -> None:
        """Everything due, and what follows from it at once."""
        while hand_on(at=self.clock.at) + work_once(at=self.clock.at, limit=50):
            pass

    def card(self, name: str = "qian") -> dict[str, Any]:
        """The last card on somebody's phone."""
        return next(line for line in reversed(self.emulator.chat(name, AGENT)) if line["kind"] == "card")

    def taps(self, name: str, button: str, *, line: dict[str, Any] | None = None, **chosen: str) -> list[Push]:
        """Taps a button, with an option of each question; what was pushed for it, as often as it came."""
        found = line or self.card(name)
        before = len(self.callback.pushes)
        words = {question: [option] for question, option in chosen.items()}
        self.emulator.does(name, "tap_card", agent=AGENT, item=found["number"], key=button, chosen=words)
        return self.callback.pushes[before:]

    def deliver(self, *pushes: Push, path: str = CALLBACK) -> list[int]:
        """Hand them to our callback as they came; the statuses."""
        return [post(push, path).status_code for push in pushes]

    def event(self, userid: str, event: str, **fields: str) -> Push:
        """An event in WeCom's own envelope, said to come from this member."""
        target = Target("", TOKEN, AES_KEY, scene.CORPID, "secure", agent=scene.AGENTID, is_work=True)
        told = {"ToUserName": scene.CORPID, "FromUserName": userid, "CreateTime": int(self.clock.at.timestamp()),
                "MsgType": "event", "Event": event, "AgentID": scene.AGENTID, **fields}  # fmt: skip
        query, body = sealed(target, told, now=self.clock.at.timestamp())
        return Push(query, body, 0)

    def press(self, name: str, button: str, **more: Any) -> None:
        """Tap, deliver, work."""
        assert set(self.deliver(*self.taps(name, button, **more))) == {200}
        self.work()

    def row(self) -> Card:
        """The only card."""
        return Card.objects.get()


def post(push: Push, path: str = CALLBACK) -> HttpResponse:
    """One push as WeCom posts it."""
    return Client().post(path, push.body, content_type="text/xml", query_params=push.query)  # type: ignore[return-value]
