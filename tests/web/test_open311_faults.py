"""What goes wrong between two servers has its outcome, and nothing is lost in silence (docs/reliability.md, Open311)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from jiequ.cases.models import Case
from jiequ.core import outgoing
from jiequ.core.jobs import work_once
from jiequ.doors.open311.models import MediaFetch, Mirror, Partner
from jiequ.doors.open311.services import pushing
from tests.actors import NOW, MovableClock
from tests.casework import Casework
from tests.open311 import a_request, key_of, open_up, post
from tests.support.failing import every_row, fail_each_statement
from tests.support.georeport import Asked, Foreign
from tests.support.partners import make, pull

TRIES = (0, 1, 6, 36, 156, 876)
"""Minutes at which a job is tried that keeps failing (core.lease)."""


@pytest.fixture
def work(work: Casework, clock: MovableClock) -> Casework:
    open_up(work)
    return work


def work_until_given_up(at: datetime = NOW) -> None:
    """Every try of what fails, each at its own minute."""
    for minute in TRIES:
        while sum(work_once(at=at + timedelta(minutes=minute), limit=50, outside=outside) for outside in (False, True)):
            pass


# -- our side as a server ------------------------------------------------------------------------------------------------


def test_whatever_fails_in_a_post_nothing_is_stored_by_half_and_the_repeat_makes_one_case(work: Casework) -> None:
    """Each statement of it fails in turn; the caller, who heard a 500, sends the same again."""
    key = key_of(work)

    def whole() -> dict[str, list[str]]:
        return {table: rows for table, rows in every_row().items() if table not in {"core_throttle", "core_counter"}}

    def hand_in() -> None:
        post(api_key=key, reference="app-1", first_name="Anna", media_url="https://example.org/a.jpg", **a_request(work))

    tried = fail_each_statement(hand_in, state=whole)
    assert tried.statements >= 14
    assert tried.partial == []
    assert Case.objects.count() == 1


def test_a_picture_whose_host_is_down_is_tried_for_hours_and_then_told_while_the_report_stands(
    work: Casework, there: Foreign
) -> None:
    there.answers["GET /one.jpg"] = hangs
    post(api_key=key_of(work), media_url=f"{there.url}/one.jpg", **a_request(work))
    work_until_given_up()
    assert len(there.asked("GET /one.jpg")) == len(TRIES)
    assert (MediaFetch.objects.get().state, MediaFetch.objects.get().error) == ("failed", "unreachable")
    assert Case.objects.count() == 1
    assert "没有取到的照片" in work.world.client("xi").get("/open311/settings/").content.decode()


# -- our side as a client ------------------------------------------------------------------------------------------------


def hangs(asked: Asked) -> bytes:
    """The line breaks without an answer."""
    raise ConnectionResetError


DOWN: dict[str, tuple[Any, str]] = {
    "refuses": ((500, b""), "status_500"),
    "says nothing": (hangs, "no_answer"),
    "sends elsewhere": ((302, b""), "status_302"),
}


@pytest.mark.parametrize("fault", DOWN)
def test_a_partner_that_is_down_costs_a_round_which_is_told_and_made_again_from_where_it_stood(
    work: Casework, there: Foreign, fault: str
) -> None:
    partner, whole = make(work, there), there.answers["GET /requests.xml"]
    there.answers["GET /requests.xml"], why = DOWN[fault]
    run = pull(partner)
    assert (run.error, run.counts) == (why, {})
    assert Partner.objects.get(pk=partner.pk).pulled_to is None
    assert "连续失败" in work.world.client("xi").get("/open311/partners/").content.decode()
    there.answers["GET /requests.xml"] = whole
    assert pull(partner, NOW + timedelta(minutes=5)).counts["new"] == 2


def test_a_push_that_never_gets_through_is_seen_at_the_case_and_at_the_partner(
    work: Casework, there: Foreign, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "SECONDS", 0.3)
    partner = make(work, there, pulls=False)
    there.answers["POST /requests.xml"] = hangs
    case = work.accepted()
    pushing.choose(case, partner_id=partner.pk, description="垃圾", by=work.actor("lin"), at=NOW)
    work_until_given_up()
    asked = there.asked("POST /requests.xml")
    assert len(asked) == len(TRIES)
    assert len({one.headers["Idempotency-Key"] for one in asked}) == 1
    assert (Mirror.objects.get().state, Mirror.objects.get().error) == ("failed", "unreachable")
    for who, page in (("lin", f"/open311/publish/{case.number}/"), ("xi", f"/open311/partners/{partner.pk}/")):
        assert "多次都连不上" in work.world.client(who).get(page).content.decode()
