"""Somebody with a stolen session, a resident's or a grid worker's, at the doors of the desk: files, filters, shifts, tokens,
webhooks, replies, imports."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from jiequ.cases import services as case_services
from jiequ.cases.models import Case, CaseEvent, Handover, Reading, Report, SavedFilter, StandardReply, WatchItem, Webhook
from jiequ.insight.models import Export
from jiequ.people import services
from jiequ.people.models import ApiToken
from tests.actors import NOW, MovableClock
from tests.casework import Casework

PHONE = "13912345678"


@pytest.fixture
def street(work: Casework, clock: MovableClock) -> Casework:
    work.handling(words=f"找我打 {PHONE}，垃圾没人收")
    return work


def doors(case: Case) -> list[tuple[str, str, dict[str, Any]]]:
    """Every door of the desk that changes or shows something beyond one's own cases."""
    return [
        ("get", "/desk/handover/", {}),
        ("post", "/desk/handover/", {"text": "我接班了"}),
        ("post", f"/cases/{case.number}/watch", {"text": "盯着"}),
        ("get", f"/desk/readers?cases={case.pk}", {}),
        ("post", f"/desk/{case.number}/reading", {}),
        ("get", "/desk/replies/", {}),
        ("post", "/desk/replies/closed-done/", {"edition": "0", "move": "close", "body_zh": "请汇款", "body_en": "x",
                                                "title_zh": "x", "title_en": "x"}),
        ("get", "/imports/", {}),
        ("get", "/webhooks/", {}),
        ("post", "/webhooks/", {"name": "偷", "url": "https://example.org/", "events": ["report"]}),
        ("get", "/tokens", {}),
        ("post", "/exports/new", {"what": "board", "form": "xlsx"}),
        ("post", "/exports/new", {"what": "matter", "name": "light_red", "form": "csv"}),
        ("get", "/board/", {}),
        ("get", "/indicators/", {}),
    ]  # fmt: skip


def changed() -> dict[str, int]:
    tables = (Handover, WatchItem, Reading, StandardReply, Webhook, ApiToken, Export)
    return {table.__name__: table.objects.count() for table in tables}


def test_a_grid_workers_session_opens_no_door_of_the_desk(street: Casework) -> None:
    case, thief = Case.objects.get(), street.world.client("chen")
    before = changed()
    for method, path, data in doors(case):
        answer = getattr(thief, method)(path, data)
        assert answer.status_code in {403, 404}, (method, path, answer.status_code)
    assert changed() == before


def test_a_residents_link_opens_no_door_of_the_desk(street: Casework) -> None:
    case = Case.objects.get()
    mine = street.reported()
    thief = Client()
    assert thief.get(f"/r/{mine.token}/").status_code == 200
    before = changed()
    more = [
        ("get", "/cases/", {}),
        ("get", "/cases/points.json", {}),
        ("get", "/cases/clusters.json", {}),
        ("get", "/cases/filters/", {}),
        ("post", "/cases/filters/", {"name": "x", "query": "open=1"}),
        ("get", "/exports/", {}),
        ("post", "/exports/list", {"form": "csv", "query": ""}),
        ("get", "/live/changes?since=0", {}),
        ("get", "/me/tokens", {}),
        ("get", f"/cases/{case.number}/", {}),
        ("get", f"/cases/{case.number}/do/note", {}),
        ("post", f"/cases/{case.number}/preview/close", {"reply": "x"}),
    ]
    for method, path, data in [*doors(case), *more]:
        answer = getattr(thief, method)(path, data)
        assert answer.status_code in {302, 401, 403, 404}, (method, path, answer.status_code)
        if answer.status_code == 302:
            assert answer["Location"].startswith("/sign-in"), (path, answer["Location"])
        assert case.number not in answer.content.decode()
    assert changed() == before


def test_a_filter_is_no_way_to_guess_a_phone_that_is_masked(street: Casework) -> None:
    """The words are masked for a grid worker: neither a search nor a file may tell digit by digit what stands there."""
    Case.objects.update(address=f"门口 {PHONE}")
    Report.objects.update(place_words=f"门口 {PHONE}")
    case_services.searching.reindex([Case.objects.get().pk])
    thief = street.world.client("chen")
    assert Case.objects.get().number in thief.get("/cases/?q=垃圾").content.decode()
    for asked in (PHONE, PHONE[:7], PHONE[:5], PHONE[4:], "1391", f"打 {PHONE[:4]}", f"门口{PHONE[:5]}", "尾号 5678", "*5678"):
        page = thief.get("/cases/", {"q": asked}).content.decode()
        assert Case.objects.get().number not in page, asked
        answer = thief.post("/exports/list", {"form": "csv", "query": f"q={asked}"})
        assert answer.status_code in {302, 403, 422}
        assert not any(PHONE in str(row) for row in Export.objects.values())
        Export.objects.all().delete()


def test_saved_filters_are_ones_own_and_carry_no_script_nor_another_address(street: Casework) -> None:
    lin, thief = street.world.client("lin"), street.world.client("chen")
    lin.post("/cases/filters/", {"name": "林的", "query": "open=1"})
    theirs = SavedFilter.objects.get()
    for act in ("rename", "up", "default", "plain", "share", "unshare", "remove", "restore"):
        thief.post(f"/cases/filters/{theirs.pk}/{act}", {"name": "偷"})
    assert SavedFilter.objects.filter(pk=theirs.pk, name="林的", street=None, removed_at=None, is_default=False).exists()
    evil = '"><script>x()</script>'
    thief.post("/cases/filters/", {"name": evil[:30], "query": f"q={evil}&next=//evil.example&order=due"})
    own = SavedFilter.objects.exclude(pk=theirs.pk).get()
    assert "evil.example" not in own.query
    assert thief.post(f"/cases/filters/{own.pk}/share").status_code == 403
    assert thief.post(f"/cases/filters/{own.pk}/default").status_code == 302
    answer = thief.get("/cases/")
    assert answer["Location"].startswith("/cases/?")
    for page in (thief.get(answer["Location"]), thief.get("/cases/filters/"), thief.get("/cases/", {"q": evil, "state": evil})):
        assert "<script>x()" not in page.content.decode()


def test_a_stolen_session_leaves_with_no_token(street: Casework, clock: MovableClock) -> None:
    """A key outlives a session: it is drawn only just after showing who one is, and a phone that re-enters showed nothing."""
    world = street.world
    token = services.allow_token(
        name="x", person_id=world.chen.pk, scopes=["cases:read"], street_id=None, days=300, by=world.actor("xi"), at=NOW
    )
    stolen = world.client("chen")
    clock.move(minutes=11)
    answer = stolen.post(f"/me/tokens/{token.pk}/draw")
    assert answer.status_code == 422
    assert "重新登录" in answer.content.decode()
    token.refresh_from_db()
    assert token.token_hash == ""
    assert "jq_" in world.client("chen").post(f"/me/tokens/{token.pk}/draw").content.decode()


def test_a_standard_reply_cannot_be_used_for_a_move_one_may_not_make(street: Casework) -> None:
    thief, case = street.world.client("chen"), Case.objects.get()
    for move in ("close", "reject", "cancel", "force_close"):
        assert thief.post(f"/cases/{case.number}/do/{move}", {"use": "closed-done:zh-hans"}).status_code == 403
        assert thief.post(f"/cases/{case.number}/preview/{move}", {"reply": "x"}).status_code == 403
    other = street.world.client("wai")
    assert other.post(f"/cases/{case.number}/do/note", {"use": "note-on-site:zh-hans"}).status_code == 404
    assert not CaseEvent.objects.filter(move="note").exists()


def test_a_list_that_is_asked_for_with_a_book_of_conditions_is_refused(street: Casework) -> None:
    thief = street.world.client("chen")
    answer = thief.post("/exports/list", {"form": "csv", "query": "&".join(f"state=closed&q={n}" for n in range(5000))})
    assert answer.status_code == 422
    assert not Export.objects.exists()
