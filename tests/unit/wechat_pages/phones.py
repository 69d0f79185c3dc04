"""What people do with their phones: open pages in WeChat, come back from its sign-in, scan codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
from django.test import Client

from emulator import envelope
from emulator.envelope import Target
from emulator.scene import APPID
from emulator.testing import Strings
from jiequ.channels.arrivals import handing
from jiequ.channels.wechat.models import Follower
from jiequ.channels.wechat.services import bind, follower_of
from jiequ.core.worker import BATCH, work_once
from jiequ.people.rules import Actor
from tests.actors import MovableClock, World

TOKEN = "a-token-of-the-test"
AGENT = {"user-agent": "Mozilla/5.0 (Linux; Android 14) Mobile Safari/537.36 MicroMessenger/8.0.54 WeChat/arm64"}


def phone() -> Client:
    """WeChat's own browser, nobody in it yet."""
    return Client(headers=AGENT)


@dataclass
class Phones:
    """The emulator's people, and our side of what they do."""

    emulator: Strings
    world: World
    clock: MovableClock

    def sent_back(self, away: str, person: str) -> str:
        """The path and query with which WeChat sends somebody's phone back from its sign-in page."""
        back = httpx.get(away.partition("#")[0], headers={"x-emu-person": person}, trust_env=False)
        assert back.status_code == 302, back.text
        there = urlsplit(back.headers["location"])
        return f"{there.path}?{there.query}"

    def enters(self, client: Client, person: str, next_path: str = "/my/") -> Any:
        """Through WeChat's sign-in, to whatever answers there."""
        return client.get(self.sent_back(client.get("/wechat/enter", {"next": next_path})["Location"], person))

    def goes(self, client: Client, person: str, path: str) -> Any:
        """Opens a page and follows where it leads, by WeChat too."""
        answer = client.get(path)
        for _step in range(6):
            if answer.status_code not in (301, 302, 303):
                return answer
            to = answer["Location"]
            answer = client.get(self.sent_back(to, person) if to.startswith(self.emulator.base) else to)
        raise AssertionError("led in a circle")

    def follower(self, person: str) -> Follower:
        """Somebody as our side knows them."""
        return follower_of(self.emulator.openid(person), at=self.clock.at)

    def tie(self, person: str, to: str) -> Follower:
        """Their WeChat is that member of the staff's."""
        follower = self.follower(person)
        bind(follower.pk, self.world.people[to].pk, by=Actor.system(), at=self.clock.at)
        return Follower.objects.get(pk=follower.pk)

    def scans(self, person: str, code: str) -> None:
        """Holds the camera to a code; WeChat tells us, and our side works off what follows."""
        told = self.emulator.does(person, "scan", text=code)
        self.pushed(person, Event=told["Event"], EventKey=told["EventKey"])

    def pushed(self, person: str, **fields: Any) -> None:
        """An event of WeChat's, in plain mode."""
        openid = self.emulator.openid(person)
        now = self.clock.at.timestamp()
        body = {"ToUserName": "gh_1", "FromUserName": openid, "CreateTime": int(now), "MsgType": "event"} | fields
        query, text = envelope.sealed(Target("", TOKEN, "", APPID, "plain", openid=openid), body, now=now, wrong=None)
        answer = Client().post("/callbacks/wechat/?" + "&".join(f"{k}={v}" for k, v in query.items()), text, "text/xml")
        assert answer.status_code == 200, answer.content
        while handing.hand_on(at=self.clock.at):
            pass
        self.work()

    def work(self) -> None:
        """The worker, until it has nothing to do."""
        for _ in range(20):
            if not work_once(at=self.clock.at, limit=BATCH):
                return

    def told(self, person: str) -> str:
        """The last thing the account said in somebody's chat, as JSON-like text."""
        return str(self.emulator.chat(person)[-1])


def query_of(address: str) -> dict[str, str]:
    """The words of an address."""
    return dict(parse_qsl(urlsplit(address).query))
