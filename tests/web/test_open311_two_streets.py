"""Two streets of this product hand matters to each other by Open311, over a live server: once each way, and no echo."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from jiequ.cases import services as cases
from jiequ.cases.models import Case, CaseEvent, Proof
from jiequ.doors.open311.models import Mirror, Partner
from jiequ.doors.open311.services import partners, pulling, pushing, telling
from tests.actors import NOW, MovableClock, make_world
from tests.casework import Casework, make_condition
from tests.open311 import key_of, open_up, work_all


@pytest.fixture
def work(live_server: Any, clock: MovableClock, settings: Any) -> Casework:
    settings.WEBHOOK_NETWORKS = ["127.0.0.0/8"]
    settings.BASE_URL = live_server.url
    work = Casework(make_world(), make_condition())
    open_up(work, both=True)
    return work


def partner_of(work: Casework, live_server: Any, *, name: str, street: Any, jurisdiction: str, key: str) -> Partner:
    """Street ``street`` of ours works with ``jurisdiction`` over there: both directions mapped, updates told."""
    terms = partners.Terms(
        name=name, base_url=f"{live_server.url}/open311/v2", street_id=street.pk, jurisdiction=jurisdiction, key=key,
        push="chosen", has_updates=True,
    )  # fmt: skip
    by = work.actor("xi")
    made = partners.make_partner(terms, by=by, at=NOW)
    work_all()
    kind = work.condition.edition.event_type_id
    for direction in ("in", "out"):
        partners.map_services(made.pk, direction, [partners.Wanted("0110", type_id=kind)], by=by, at=NOW)
    partners.pause_partner(made.pk, is_paused=False, by=by, at=NOW)
    return made


def fresh(partner: Partner) -> Partner:
    return Partner.objects.select_related("street").get(pk=partner.pk)


def test_a_case_pushed_to_the_other_street_is_worked_on_there_and_its_steps_come_back_without_an_echo(
    work: Casework, live_server: Any
) -> None:
    ours, theirs = work.world.street, work.world.other_street
    there = partner_of(work, live_server, name="青岗", street=ours, jurisdiction=theirs.code9, key=key_of(work, "wai"))
    back = partner_of(
        work,
        live_server,
        name="龙涧",
        street=theirs,
        jurisdiction=ours.code9,
        key=key_of(work),
    )
    mine = work.reported(place=cases.Place(words="两街交界"), condition_id=work.condition.pk).case
    pushing.choose(mine, partner_id=there.pk, description="交界处的垃圾请青岗处理", by=work.actor("lin"), at=NOW)
    work_all()
    mirror = Mirror.objects.get()
    assert mirror.state == "known", mirror.error
    other = Case.objects.get(number=mirror.request_id)
    assert (other.street_id, other.source) == (theirs.pk, "outside")

    for minute in range(1, 4):
        at = NOW + timedelta(minutes=5 * minute)
        for partner in (there, back):
            assert pulling.pull(fresh(partner), at=at).error == ""
            run = telling.tell(fresh(partner), at=at)
            assert run is None or run.error == ""
    assert Case.objects.count() == 2  # what one gave the other is taken by neither a second time

    answer = {"reason_code": "outside_duty", "reply": "这里归龙涧街道"}
    cases.reject(work.fresh(other, "wai"), by=work.actor("wai"), at=NOW + timedelta(minutes=16), **answer)
    for minute in range(4, 8):
        at = NOW + timedelta(minutes=5 * minute)
        for partner in (there, back):
            assert pulling.pull(fresh(partner), at=at).error == ""
            run = telling.tell(fresh(partner), at=at)
            assert run is None or run.error == ""
    notes = list(CaseEvent.objects.filter(move="note", case=mine).values_list("text", flat=True))
    assert [note for note in notes if "未能受理" in note] == ["对方说：未能受理"]
    assert len([note for note in notes if "对方状态：closed" in note]) == 1
    assert Case.objects.count() == 2
    assert CaseEvent.objects.filter(move="note").count() < 8


def test_a_push_that_was_answered_but_not_remembered_is_done_once(work: Casework, live_server: Any) -> None:
    """Killed between the answer and its mark: the same key brings the same number."""
    there = partner_of(
        work, live_server, name="青岗", street=work.world.street, jurisdiction="990101002", key=key_of(work, "wai")
    )
    mine = work.reported(place=cases.Place(words="两街交界"), condition_id=work.condition.pk).case
    mirror = pushing.choose(mine, partner_id=there.pk, description="垃圾", by=work.actor("lin"), at=NOW)
    pushing.pushed(mirror.pk, at=NOW)  # what it gives back is never stored
    assert Mirror.objects.get().state == "waiting"
    work_all()
    assert Mirror.objects.get().state == "known"
    assert Case.objects.filter(street=work.world.other_street).count() == 1


def test_what_the_other_street_publishes_is_pulled_once_with_its_words_by_key(work: Casework, live_server: Any) -> None:
    there = partner_of(
        work, live_server, name="青岗", street=work.world.street, jurisdiction="990101002", key=key_of(work, "wai")
    )
    account = work.account(place=cases.Place(words="北岭路口"), condition_id=work.condition.pk, words="路口有垃圾 13900001111")
    theirs = cases.report_case(street_id=work.world.other_street.pk, account=account, by=work.actor("wai"), at=NOW)
    assert pulling.pull(fresh(there), at=NOW + timedelta(minutes=1)).counts["new"] == 1
    mirror = Mirror.objects.select_related("case").get()
    assert mirror.request_id == theirs.case.number
    report = mirror.case.reports.get()
    assert report.words == "路口有垃圾 ＊＊＊"
    assert report.reporter is None
    assert not Proof.objects.exists()
