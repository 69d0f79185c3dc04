"""Only WeChat is listened to, counted (RELIABILITY row 15): forgeries taken in 0 of 10,000, replays 0 of 1,000."""

from __future__ import annotations

import logging
import random
from collections import Counter
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import RequestFactory

from emulator import envelope
from emulator.envelope import Target
from emulator.scene import APPID, SECRET
from jiequ.channels import callbacks
from jiequ.channels.arrivals.models import Arrival
from jiequ.channels.wechat.views.callback import callback
from tests.actors import MovableClock

TOKEN, KEY = "a-token-of-the-test", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
FORGED, REPLAYED, SEED = 10_000, 1_000, 20260304
MODES = ("plain", "secure", "compatible")
pytestmark = pytest.mark.django_db(databases=["default", "arrivals"])
Push = tuple[dict[str, str], str]


@pytest.fixture(autouse=True)
def account(settings: Any) -> Any:
    """An account in secure mode; nothing is written to the log ten thousand times."""
    settings.WECHAT_APPID, settings.WECHAT_SECRET, settings.WECHAT_TOKEN, settings.WECHAT_AES_KEY = APPID, SECRET, TOKEN, KEY
    logging.disable(logging.INFO)
    yield settings
    logging.disable(logging.NOTSET)


def pushed(clock: MovableClock, mode: str, *, token: str = TOKEN, key: str = KEY, appid: str = APPID, number: int = 1) -> Push:
    """What the platform sends: a message of its own number."""
    body = {"ToUserName": "gh_1", "FromUserName": "oZhou", "CreateTime": int(clock.at.timestamp()), "MsgType": "text"}
    target = Target("", token, key, appid, mode, openid="oZhou")
    return envelope.sealed(target, body | {"Content": "河道堵了", "MsgId": str(number)}, now=clock.at.timestamp(), wrong=None)


def answered(query: dict[str, str], body: str) -> int:
    request = RequestFactory().post("/callbacks/wechat/?" + urlencode(query), body, content_type="text/xml")
    return int(callback(request).status_code)


def nibble(text: str, dice: random.Random) -> str:
    """One character other than it was."""
    place = dice.randrange(len(text))
    return text[:place] + ("0" if text[place] != "0" else "1") + text[place + 1 :]


def forgeries(clock: MovableClock, mode: str, dice: random.Random) -> list[Push]:
    """Pushes that are not the platform's, by whoever knows everything but token and key."""
    query, body = pushed(clock, mode)
    names = [name for name in ("signature", "msg_signature") if name in query and (mode == "plain") == (name == "signature")]
    name = names[0]
    return [
        ({**query, name: nibble(query[name], dice)}, body),
        ({**query, name: query[name][:-1]}, body),
        ({**query, name: ""}, body),
        ({**query, "nonce": nibble(query["nonce"], dice)}, body),
        ({**query, "timestamp": str(int(query["timestamp"]) - dice.randrange(1, 300))}, body),
        ({one: value for one, value in query.items() if one != name}, body),
        pushed(clock, mode, token="another-token"),
        *([pushed(clock, mode, key=KEY[::-1]), pushed(clock, mode, appid="wxanother")] if mode != "plain" else []),
    ]


@pytest.mark.parametrize("mode", MODES)
def test_no_forgery_is_taken_in(clock: MovableClock, account: Any, mode: str) -> None:
    account.WECHAT_AES_KEY = "" if mode == "plain" else KEY
    dice, answers = random.Random(SEED), Counter[int]()
    while answers.total() < FORGED // len(MODES) + 1:
        answers.update(answered(*one) for one in forgeries(clock, mode, dice))
    assert set(answers) == {403}
    assert not Arrival.objects.exists()


@pytest.mark.parametrize("mode", MODES)
def test_no_replay_is_taken_in(clock: MovableClock, account: Any, mode: str) -> None:
    account.WECHAT_AES_KEY = "" if mode == "plain" else KEY
    real = pushed(clock, mode)
    assert answered(*real) == 200
    each = REPLAYED // len(MODES) // 3 + 1
    answers = {
        "at once, a known message: answered and ignored": Counter(answered(*real) for _ in range(each)),
        "with other words": Counter(answered(real[0], altered(real[1], n)) for n in range(each)),
    }
    clock.move(seconds=callbacks_good_for(account) + 1)
    answers["later"] = Counter(answered(*real) for _ in range(each))
    assert {why: set(found) for why, found in answers.items()} == {
        "at once, a known message: answered and ignored": {200},
        "with other words": {403},
        "later": {403},
    }
    assert Arrival.objects.count() == 1


def altered(body: str, number: int) -> str:
    """Another message in the same envelope: plain words are changed, a ciphertext is broken."""
    if "<MsgId>" in body and "<Encrypt>" not in body:
        return body.replace("<MsgId>1</MsgId>", f"<MsgId>{number + 2}</MsgId>").replace("[CDATA[1]]", f"[CDATA[{number + 2}]]")
    start = body.index("<Encrypt>") + 40 + number % 100
    return body[:start] + ("A" if body[start] != "A" else "B") + body[start + 1 :]


def callbacks_good_for(account: Any) -> int:
    return int(timedelta(seconds=account.CALLBACK_SECONDS).total_seconds())


def test_whoever_believes_signatures_or_old_times_lets_strangers_in(
    clock: MovableClock, account: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken twins: a comparison that always agrees; times that are not looked at once nonces are forgotten."""
    account.WECHAT_AES_KEY = ""
    with monkeypatch.context() as broken:
        broken.setattr("jiequ.channels.crypt.is_signed", lambda *_given: True)
        assert 200 in {answered(*one) for one in forgeries(clock, "plain", random.Random(SEED))}
    Arrival.objects.all().delete()
    real = pushed(clock, "plain", number=7)
    clock.move(hours=5)
    assert answered(*real) == 403
    monkeypatch.setattr(callbacks, "check_time", lambda request, at: None)
    assert answered(*real) == 200
