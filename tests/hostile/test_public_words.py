"""Personal data in what a reporter or the desk wrote is read by no stranger, whichever way out of the house it takes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from django.test import Client

from jiequ.cases import services
from jiequ.cases.api import outside as programs
from jiequ.cases.models import Case
from jiequ.cases.queries import told
from jiequ.cases.services import telling
from jiequ.channels.models import Message
from jiequ.core.worker import BATCH, work_once
from jiequ.doors.hotline.services import letters
from jiequ.doors.open311.queries import requests
from jiequ.doors.open311.services import publishing, pushing
from jiequ.doors.open311.services import telling as partners
from tests.actors import NOW, MovableClock
from tests.casework import Casework
from tests.open311 import key_of, open_up

SECRETS = ("13912345678", "440106199001011234", "粤B12345", "张建国", "zhangjg_77", "502室")
SAYS = "我叫张建国，电话13912345678，身份证440106199001011234，车牌粤B12345，微信号zhangjg_77，住3栋502室"
OUT = (telling, told, programs, requests, partners, publishing, pushing, letters)


@dataclass(frozen=True)
class Ended:
    """Two reports full of them: one refused, its reporter reads why; one done, closed and published."""

    token: str
    number: str


def ended_with_secrets(work: Casework, clock: MovableClock) -> Ended:
    """Every word that anybody wrote of them says them all."""
    open_up(work)
    lin, found = work.actor("lin"), work.reported(words=f"垃圾没人清，{SAYS}")
    reply = f"已核实，{SAYS}。"
    services.reject(work.fresh(found.case, "lin"), reason_code="litigation", reply=reply, by=lin, at=NOW)
    done = work.checked(words=f"井盖响，{SAYS}")
    Case.objects.filter(pk=done.pk).update(address=f"东涌路，{SAYS}")
    publishing.publish(work.fresh(done, "lin"), words=f"路口垃圾，{SAYS}", photo_ids=[], by=lin, at=NOW)
    services.close(work.fresh(done, "lin"), reply=reply, by=lin, at=NOW)
    clock.move(minutes=5)
    for _n in range(10):
        if not work_once(at=clock.at, limit=BATCH):
            break
    return Ended(found.token, done.number)


def read_by_strangers(work: Casework, found: Ended) -> Iterator[tuple[str, str]]:
    """(where, what stands there): every public address that says anything of the case."""
    number, client = found.number, Client()
    key = key_of(work)
    span = f"start_date={(NOW - timedelta(days=1)):%Y-%m-%dT00:00:00Z}&end_date={(NOW + timedelta(days=2)):%Y-%m-%dT00:00:00Z}"
    for form in ("json", "xml"):
        for path in (f"requests.{form}?{span}", f"requests/{number}.{form}", f"servicerequestupdates.{form}?{span}"):
            for more in ("", f"{'&' if '?' in path else '?'}api_key={key}"):
                address = f"/open311/v2/{path}{more}"
                yield address, said(client, address)
    yield "the month as CSV", said(client, f"/open311/v2/requests.csv?month={NOW:%Y-%m}")
    page = said(client, f"/r/{found.token}/")
    yield "the reporter's page", "".join(re.findall(r'<blockquote class="reply">.*?</blockquote>', page, re.DOTALL))
    for message in Message.objects.all():
        yield "a notice", json.dumps([message.facts, message.sentence], ensure_ascii=False)


def said(client: Client, address: str) -> str:
    answer = client.get(address)
    return answer.content.decode() if not answer.streaming else b"".join(answer).decode()  # type: ignore[arg-type]


def leaks(work: Casework, found: Ended) -> list[tuple[str, str]]:
    """Where a secret is read."""
    return [(where, secret) for where, text in read_by_strangers(work, found) for secret in SECRETS if secret in text]


def test_no_personal_data_leaves_by_any_way(work: Casework, clock: MovableClock) -> None:
    found = ended_with_secrets(work, clock)
    assert leaks(work, found) == []
    texts = dict(read_by_strangers(work, found))
    assert "已核实" in texts["the reporter's page"]
    assert any("路口垃圾" in text for where, text in texts.items() if "requests" in where)


def test_without_the_mask_they_would_be_read(work: Casework, clock: MovableClock, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in OUT:
        monkeypatch.setattr(module, "public", lambda text, keep=(): text)
    where = {where for where, _secret in leaks(work, ended_with_secrets(work, clock))}
    assert "the reporter's page" in where
    assert any("requests" in one for one in where)
