"""Webhooks: signed, in order for each case, tried again, and seen where they did not arrive."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from jiequ.cases import jobs_hooks, services
from jiequ.cases.models import Case, CaseEvent, Delivery, Webhook
from jiequ.cases.services import hooks
from jiequ.core.jobs import KINDS, work_once
from jiequ.core.models import AuditEntry, Job
from tests.actors import NOW, MovableClock, World
from tests.casework import Casework, make_condition
from tests.support.receiver import Received, Receiver, receiver

LATER = NOW + timedelta(seconds=30)


@pytest.fixture
def work(world: World, clock: MovableClock) -> Casework:
    return Casework(world, make_condition())


@pytest.fixture
def there(settings: Any) -> Iterator[Receiver]:
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    with receiver() as told:
        yield told


def make(work: Casework, url: str, *events: str, **changes: Any) -> tuple[Webhook, str]:
    values: dict[str, Any] = {
        "name": "数据平台",
        "street_id": None,
        "events": events or ("report", "accept", "dispatch", "close"),
    }
    return hooks.make_webhook(url=url, **(values | changes), by=work.actor("xi"), at=NOW)


def settle(at: Any = LATER) -> None:
    """Follow the events, then do what is due: only webhooks' jobs."""
    jobs_hooks.follow(at=at)
    Job.objects.exclude(kind=hooks.DELIVER).delete()
    while work_once(at=at, limit=50, outside=True):
        pass


def told(call: Received) -> tuple[str, str]:
    body = json.loads(call.body)
    return body["event"], body["case"]["number"]


def is_signed(call: Received, secret: str) -> bool:
    parts = call.headers["Jiequ-Signature"].split(",")
    moment = parts[0].removeprefix("t=")
    made = hmac.new(secret.encode(), f"{moment}.".encode() + call.body, hashlib.sha256).hexdigest()
    return f"v1={made}" in parts[1:]


# -- what is told ------------------------------------------------------------------------------------------------------


def test_events_are_told_in_order_signed_and_with_codes_only(work: Casework, there: Receiver) -> None:
    webhook, secret = make(work, there.url)
    case = work.dispatched(contact=services.Contact(name="周女士", phone="13912345678"))
    settle()
    assert [told(call) for call in there.calls] == [(f"case.{m}", case.number) for m in ("report", "accept", "dispatch")]
    call = there.calls[2]
    body = json.loads(call.body)
    assert body == {
        "id": call.headers["Jiequ-Delivery"],
        "event": "case.dispatch",
        "at": "2026-03-04T02:00:00+00:00",
        "state": "dispatched",
        "reason": "",
        "light": "",
        "case": {
            "number": case.number,
            "street": "990101001",
            "type": {"kind": "event", "code": "0110"},
            "unit_grid": "990101001001001",
            "is_urgent": False,
            "lead": "hw",
            "due_at": Case.objects.get(pk=case.pk).due_at.isoformat(),  # type: ignore[union-attr]
            "promised_at": "2026-03-04T08:00:00+00:00",
        },
    }
    assert call.headers["Jiequ-Event"] == "case.dispatch"
    assert all(is_signed(one, secret) for one in there.calls)
    assert not is_signed(call, "another")
    everything = b"".join(one.body for one in there.calls).decode()
    assert not [word for word in ("周女士", "139", "河边", "林晓", "垃圾") if word in everything]
    assert secret not in str(Webhook.objects.values())
    assert set(Delivery.objects.values_list("state", "tries", "status")) == {("delivered", 1, 200)}
    assert not Job.objects.filter(kind=hooks.DELIVER).exists()
    assert webhook.failures_in_row == 0


def test_a_report_of_wrongdoing_tells_no_place(work: Casework, there: Receiver) -> None:
    make(work, there.url)
    work.reported(is_confidential=True)
    settle()
    assert json.loads(there.calls[0].body)["case"]["unit_grid"] is None


def test_only_the_chosen_events_of_the_chosen_street_are_told(work: Casework, there: Receiver) -> None:
    make(work, there.url, "accept", street_id=work.world.street.pk)
    here = work.dispatched()
    there_case = services.report_case(
        street_id=work.world.other_street.pk, account=work.account(place=work.place("c")), by=work.actor("zhou"), at=NOW
    ).case
    case = work.fresh(there_case, "wai")
    services.accept(case, condition_id=work.condition.pk, by=work.actor("wai"), at=NOW)
    settle()
    assert [told(call) for call in there.calls] == [("case.accept", here.number)]


def test_what_happened_before_it_was_made_is_not_told(work: Casework, there: Receiver) -> None:
    work.accepted()
    make(work, there.url, "accept")
    settle()
    assert there.calls == []


def test_a_move_that_was_taken_back_is_not_told(work: Casework, there: Receiver) -> None:
    make(work, there.url)
    case = work.accepted()
    event = CaseEvent.objects.get(case=case, move="accept")
    jobs_hooks.follow(at=NOW)
    services.undo(event.pk, by=work.actor("lin"), at=NOW + timedelta(seconds=9))
    settle()
    assert [told(call)[0] for call in there.calls] == ["case.report"]
    assert dict(Delivery.objects.values_list("kind", "state")) == {"report": "delivered", "accept": "withdrawn"}


def test_nothing_leaves_before_undo_is_over(work: Casework, there: Receiver) -> None:
    make(work, there.url)
    work.accepted()
    settle(NOW + timedelta(seconds=10))
    assert there.calls == []
    settle(NOW + timedelta(seconds=11))
    assert len(there.calls) == 2


# -- when it does not arrive -------------------------------------------------------------------------------------------


def test_it_is_tried_again_five_times_with_the_same_bytes_and_key_and_then_seen(work: Casework, there: Receiver) -> None:
    make(work, there.url, "accept")
    work.accepted()
    there.answers = [500] * 6
    at, moments = LATER, []
    settle(at)
    while Delivery.objects.get().state == "waiting":
        at = Delivery.objects.get().next_at
        moments.append(at)
        settle(at - timedelta(seconds=1))
        settle(at)
    waits = [later - earlier for earlier, later in zip([LATER, *moments], moments, strict=False)]
    assert [wait.total_seconds() / 60 for wait in waits] == [1, 5, 30, 120, 720]
    assert len({call.body for call in there.calls}) == len({call.headers["Jiequ-Delivery"] for call in there.calls}) == 1
    assert len(there.calls) == 6
    lost = Delivery.objects.get()
    assert (lost.state, lost.tries, lost.status, lost.error) == ("not_delivered", 6, 500, "refused")
    page = work.world.client("xi").get(f"/webhooks/{lost.webhook_id}/").content.decode()
    assert "没有送达" in page
    assert "重发" in page
    work.world.client("xi").post(f"/webhooks/deliveries/{lost.pk}/resend")
    settle(at + timedelta(minutes=1))
    assert Delivery.objects.get().state == "delivered"
    assert there.calls[-1].body == there.calls[0].body


@pytest.mark.parametrize(("status", "error"), [(301, "redirect"), (404, "refused"), (410, "refused"), (500, "refused")])
def test_anything_but_a_2xx_is_no_delivery(work: Casework, there: Receiver, status: int, error: str) -> None:
    make(work, there.url, "accept")
    work.accepted()
    there.answers, there.location = [status], "http://127.0.0.1:1/"
    settle()
    one = Delivery.objects.get()
    assert (one.state, one.tries, one.status, one.error) == ("waiting", 1, status, error)


def test_a_closed_port_and_an_inner_address_are_told_apart(work: Casework, settings: Any) -> None:
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    webhook, _secret = make(work, "http://127.0.0.1:1/", "accept")
    work.accepted()
    settle()
    assert Delivery.objects.get().error == "no_connection"
    settings.WEBHOOK_NETWORKS = []
    Webhook.objects.filter(pk=webhook.pk).update(url="https://127.0.0.1/")
    settle(LATER + timedelta(minutes=2))
    assert Delivery.objects.get().error == "address_not_allowed"


def test_the_order_of_a_case_is_kept_while_its_first_is_tried_again(work: Casework, there: Receiver) -> None:
    make(work, there.url)
    there.answers = [503]
    first = work.dispatched().number
    second = work.accepted().number
    settle()
    assert [told(call) for call in there.calls] == [
        ("case.report", first), ("case.report", second), ("case.accept", second),
    ]  # fmt: skip
    settle(LATER + timedelta(minutes=1))
    assert [told(call) for call in there.calls[3:]] == [(f"case.{m}", first) for m in ("report", "accept", "dispatch")]


def test_an_address_that_keeps_failing_is_paused_and_loses_nothing(work: Casework, there: Receiver) -> None:
    webhook, _secret = make(work, there.url, "report")
    there.answers = [500] * hooks.PAUSE_AFTER
    numbers = [work.reported(contact=None).case.number for _ in range(hooks.PAUSE_AFTER)]
    settle()
    webhook.refresh_from_db()
    assert webhook.paused_at == LATER
    assert AuditEntry.objects.filter(action="webhook.paused").count() == 1
    numbers.append(work.reported(contact=None).case.number)
    settle(LATER + timedelta(minutes=2))
    assert len(there.calls) == hooks.PAUSE_AFTER
    assert "连续 20 次失败" in work.world.client("xi").get(f"/webhooks/{webhook.pk}/").content.decode()
    hooks.resume_webhook(webhook_id=webhook.pk, by=work.actor("xi"), at=LATER + timedelta(minutes=3))
    settle(LATER + timedelta(minutes=3))
    assert {told(call)[1] for call in there.calls[hooks.PAUSE_AFTER :]} == set(numbers)
    assert not Delivery.objects.exclude(state="delivered").exists()


# -- the administrator's -----------------------------------------------------------------------------------------------


def test_the_page_makes_one_and_shows_its_secret_once(work: Casework, there: Receiver) -> None:
    xi = work.world.client("xi")
    form = {"name": "数据平台", "url": there.url, "events": ["accept", "close"], "street": ""}
    page = xi.post("/webhooks/", form).content.decode()
    webhook = Webhook.objects.get()
    secret = hooks.keys_of(webhook, at=NOW)[0]
    assert secret in page
    assert secret not in xi.get(f"/webhooks/{webhook.pk}/").content.decode() + xi.get("/webhooks/").content.decode()
    assert xi.post(f"/webhooks/{webhook.pk}/ping").status_code == 302
    settle(NOW)
    assert json.loads(there.calls[0].body)["event"] == "ping"
    assert is_signed(there.calls[0], secret)
    assert xi.post("/webhooks/", form).status_code == 422
    assert list(AuditEntry.objects.filter(action__startswith="webhook").values_list("action", flat=True)) == [
        "webhook.made",
        "webhook.pinged",
    ]


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", ""), ("url", "http://example.org/"), ("url", "x"), ("events", []), ("events", ["reveal"]), ("street", "99999")],
)
def test_a_form_that_does_not_fit_is_refused(work: Casework, field: str, value: Any) -> None:
    form = {"name": "甲", "url": "https://example.org/", "events": ["accept"], "street": ""} | {field: value}
    assert work.world.client("xi").post("/webhooks/", form).status_code == 422
    assert not Webhook.objects.exists()


def test_two_secrets_sign_for_a_day_after_a_change(work: Casework, there: Receiver) -> None:
    webhook, old = make(work, there.url, "accept")
    _webhook, new = hooks.renew_secret(webhook_id=webhook.pk, by=work.actor("xi"), at=NOW)
    hooks.ping(webhook_id=webhook.pk, by=work.actor("xi"), at=NOW)
    settle(NOW + timedelta(hours=23))
    assert (is_signed(there.calls[0], old), is_signed(there.calls[0], new)) == (True, True)
    hooks.ping(webhook_id=webhook.pk, by=work.actor("xi"), at=NOW)
    settle(NOW + timedelta(hours=24))
    assert (is_signed(there.calls[1], old), is_signed(there.calls[1], new)) == (False, True)
    hooks.forget_deliveries(at=NOW + timedelta(hours=25))
    assert Webhook.objects.get().old_secret_sealed == ""


def test_an_ended_one_is_told_no_more(work: Casework, there: Receiver) -> None:
    webhook, _secret = make(work, there.url, "accept")
    work.accepted()
    jobs_hooks.follow(at=NOW)
    hooks.end_webhook(webhook_id=webhook.pk, by=work.actor("xi"), at=NOW)
    settle()
    assert there.calls == []
    assert Delivery.objects.get().state == "withdrawn"
    assert work.world.client("xi").post(f"/webhooks/{webhook.pk}/ping").status_code == 404


def test_one_that_is_ended_while_its_events_are_followed_gets_no_delivery(work: Casework, there: Receiver) -> None:
    read_before, _secret = make(work, there.url, "accept")
    work.accepted()
    hooks.end_webhook(webhook_id=read_before.pk, by=work.actor("xi"), at=NOW)
    assert read_before.ended_at is None
    assert hooks.follow(read_before, at=LATER) == 0
    settle()
    assert there.calls == []
    assert not Delivery.objects.exists()
    assert not Job.objects.filter(kind=hooks.DELIVER).exists()


def test_two_who_follow_one_address_at_once_tell_each_event_once(work: Casework, there: Receiver) -> None:
    one, _secret = make(work, there.url, "accept")
    other = Webhook.objects.get()
    for _n in range(2):
        work.accepted()
    assert [hooks.follow(follower, at=LATER) for follower in (one, other)] == [2, 2]
    settle()
    assert len(there.calls) == Delivery.objects.count() == 2


def test_a_delivery_that_an_end_did_not_withdraw_is_not_called(work: Casework, there: Receiver) -> None:
    """A test call asked for at the very moment is stored after the end."""
    webhook, _secret = make(work, there.url, "accept")
    hooks.ping(webhook_id=webhook.pk, by=work.actor("xi"), at=NOW)
    Webhook.objects.update(ended_at=NOW)
    settle()
    assert there.calls == []
    assert not Job.objects.filter(kind=hooks.DELIVER).exists()


def test_deliveries_are_forgotten_after_their_time(work: Casework, there: Receiver) -> None:
    make(work, there.url, "accept")
    work.accepted()
    settle()
    assert hooks.forget_deliveries(at=LATER + timedelta(days=30)) == 0
    assert hooks.forget_deliveries(at=LATER + timedelta(days=30, seconds=1)) == 1
    jobs_hooks.follow(at=LATER + timedelta(days=31))
    assert not Delivery.objects.exists()


def test_a_job_that_killed_its_workers_is_seen_as_not_delivered(work: Casework, there: Receiver) -> None:
    make(work, there.url, "accept")
    work.accepted()
    jobs_hooks.follow(at=LATER)
    Job.objects.filter(kind=hooks.DELIVER).update(lost_workers=9)
    work_once(at=LATER, limit=50, outside=True)
    one = Delivery.objects.get()
    assert (one.state, one.error) == ("not_delivered", "job_failed")


def test_the_network_is_called_in_no_transaction(work: Casework) -> None:
    assert KINDS[hooks.DELIVER].outside is True


def test_the_record_is_read_page_by_page_and_by_what_became_of_each(
    work: Casework, there: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jiequ.cases.views import hooks as pages

    monkeypatch.setattr(pages, "SHOWN", 2)
    webhook, _secret = make(work, there.url, "accept")
    for _n in range(3):
        work.accepted()
    settle()
    keys = list(Delivery.objects.order_by("-pk").values_list("key", flat=True))
    xi, address = work.world.client("xi"), f"/webhooks/{webhook.pk}/"

    def shown(query: str) -> list[str]:
        return re.findall(r'<small class="number">(whd_[^<]+)</small>', xi.get(f"{address}?{query}").content.decode())

    assert shown("") == keys[:2]
    after = re.findall(r'rel="next" href="\?([^"]+)"', xi.get(f"{address}?state=delivered").content.decode())
    assert shown(after[0].replace("&amp;", "&")) == keys[2:]
    assert shown("state=not_delivered") == []
    assert xi.get(f"{address}?before=x").status_code == 422
