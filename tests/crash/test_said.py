"""Customer-service messages of the account take no key: whatever kills the workers, nobody is told one twice.

What the account answers in the chat and notices by the way ``wechat_service``, the worker killed between sending and noting.
Each ends as said or as unknown, never as waiting for ever; what counts as said stands on the phone, once.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest

from emulator import scene
from emulator.testing import Strings, emulator, emulator_thread  # noqa: F401  (fixtures)
from jiequ.channels import delivery
from jiequ.channels import services as channels
from jiequ.channels.client import Api
from jiequ.channels.models import Message
from jiequ.channels.services import Notice, seal_account
from jiequ.channels.wechat import services
from jiequ.channels.wechat.models import Said
from jiequ.channels.wechat.rules import SaidState
from jiequ.channels.wechat.services import followers, saying
from jiequ.core import clock
from jiequ.core.db import writing
from jiequ.core.jobs import work_once
from jiequ.core.models import Job
from tests.actors import make_world
from tests.support import processes
from tests.support.processes import Tell

PEOPLE = ("zhou", "chen")
ANSWERS, NOTICES = 3, 2
"""Five in all: as many as one message of theirs admits."""
SENDS_BEFORE_A_KILL = 2
pytestmark = pytest.mark.django_db(transaction=True)
Worker = Callable[[datetime, Tell], None]


@pytest.fixture
def planted(emulator: Strings, settings: Any) -> list[str]:  # noqa: F811
    """Answers and notices to two followers who have just written. The words of each, as a phone shows them."""
    settings.WECHAT_APPID, settings.WECHAT_SECRET = scene.APPID, scene.SECRET
    settings.WECHAT_API = settings.WECHAT_MP = f"{emulator.base}/api"
    settings.WAYS, settings.SMS_PORTS = ["wechat_service"], []
    emulator.ask("POST", "/clock", at=time.time(), rate=1.0)
    street, at = make_world().street.pk, clock.now()
    words = []
    for name in PEOPLE:
        emulator.does(name, "follow")
        emulator.does(name, "say", text="你好")
        row = followers.note_deed(emulator.openid(name), kind="text", event="", sent_at=at, at=at)
        for n in range(ANSWERS):
            words.append(f"{name}的第{n}句")
            services.say(follower_id=row.pk, key=words[-1], text=words[-1], at=at)
        sealed = seal_account(f"wechat:{row.pk}")
        numbers = [f"LG-2026-00{row.pk:03}{n}" for n in range(NOTICES)]
        words += numbers
        to: dict[str, Any] = {"to_account_sealed": sealed, "is_urgent": True, "street_id": street}
        told = [Notice("reporter_accepted", {"number": one}, f"case:{one}", one, **to) for one in numbers]
        with writing():
            channels.send(told, at=at)
    return words


def work(at: datetime, tell: Tell) -> None:
    """The real thing, killed after its second message has been sent and before that is noted."""
    post, sends = Api.post, count(1)

    def dying(self: Api, path: str, body: Mapping[str, Any], query: Any = None) -> dict[str, Any]:
        answer = post(self, path, body, query)
        if path.endswith("/custom/send") and next(sends) == SENDS_BEFORE_A_KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    Api.post = dying  # type: ignore[method-assign]  # in the child that is about to be killed
    while work_once(at=at, limit=3):
        tell(b".")


def without_a_note(at: datetime, tell: Tell) -> None:
    """The broken twin: each is sent and then noted; what was sent and not noted is sent again."""

    def say(row: Said, *, at: datetime) -> None:
        with contextlib.suppress(saying.NotSaid):
            saying.send_now(row.follower, saying.body_of(row), at=at)
        Said.objects.filter(pk=row.pk).update(state=SaidState.SENT)

    saying.say_waiting = say
    delivery.is_unheard = lambda message: False
    work(at, tell)


def storm(worker: Worker, enough: Callable[[], bool] = lambda: False) -> None:
    waits = Job.objects.filter(kind__in=["wechat.say", "channels.transmit", "channels.transmit.wechat_service"], dead_at=None)
    at = clock.now() + timedelta(hours=1)
    processes.storm(worker, lambda: waits.exists() and not enough(), at=at, least=0.2, most=0.3, rounds=40)


def shown(emulator: Strings, words: list[str]) -> Counter[str]:  # noqa: F811
    """How often each stands on a phone."""
    texts = [line["data"].get("text", "") for name in PEOPLE for line in emulator.chat(name) if line["by"] == "account"]
    return Counter(one for one in words for text in texts if one in text)


def test_killed_workers_tell_nobody_twice_and_leave_nothing_waiting(planted: list[str], emulator: Strings) -> None:  # noqa: F811
    storm(work)
    found = shown(emulator, planted)
    said = dict(Said.objects.values_list("key", "state"))
    noted = {
        key: (state, error)
        for key, state, error in Message.objects.filter(key__in=planted).values_list("key", "state", "last_error")
    }
    print(f"shown {found.total()} of {len(planted)}, {Counter(said.values())}, {Counter(noted.values())}")
    assert max(found.values()) == 1, "told twice"
    assert set(said.values()) == {"sent", "unknown"}, "every worker dies between a sending and its note"
    assert set(noted.values()) == {("delivered", ""), ("not_delivered", "unknown")}
    certain = [key for key in planted if said.get(key) == "sent" or noted.get(key) == ("delivered", "")]
    assert [key for key in certain if not found[key]] == [], "counted as said and on no phone"


def test_without_the_note_killed_workers_tell_people_twice(planted: list[str], emulator: Strings) -> None:  # noqa: F811
    """The broken twin: the same killing."""

    def twice() -> bool:
        return max(shown(emulator, planted).values(), default=0) > 1

    storm(without_a_note, twice)
    assert twice()
