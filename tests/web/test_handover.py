"""交接班: the note drafts itself from the ledger, the next shift sees it on top of the desk and takes it over once."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from jiequ.cases import services
from jiequ.cases.models import Case, Handover, WatchItem
from jiequ.cases.queries import shift
from jiequ.people.models import Post
from jiequ.people.rules import Role
from tests.actors import NOW, SINCE, MovableClock
from tests.casework import Casework
from tests.statements import statements_of


@pytest.fixture
def lin(work: Casework, clock: MovableClock) -> Client:
    return work.world.client("lin")


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.content.decode()[:300]
    return str(answer.content.decode())


def numbers(work: Casework, section: str, at: Any = NOW) -> list[str]:
    return [line["number"] for line in shift.draft(work.actor("lin"), work.world.street.pk, at=at)[section]]


def test_the_draft_names_what_the_next_shift_must_know_and_nothing_of_another_street(work: Casework, lin: Client) -> None:
    urgent = work.reported(is_urgent=True).case
    late = work.dispatched(at=NOW - timedelta(days=3))
    call = work.reported(wants_call=True).case
    watched = work.accepted()
    services.put_on_watch(watched, text="桥上还在漏水", by=work.actor("lin"), at=NOW)
    account = work.account(place=work.place("c"), is_urgent=True)
    other = services.report_case(street_id=work.world.other_street.pk, account=account, by=work.actor("zhou"), at=NOW).case
    assert numbers(work, "urgent") == [urgent.number]
    assert numbers(work, "late") == [late.number]
    assert numbers(work, "call_backs") == [call.number]
    assert numbers(work, "watch") == [watched.number]
    shown = page(lin, "/desk/handover/")
    assert all(case.number in shown for case in (urgent, late, call, watched))
    assert "桥上还在漏水" in shown
    assert other.number not in shown


def test_what_is_soon_late_or_ended_stands_where_it_belongs(work: Casework, lin: Client, clock: MovableClock) -> None:
    soon, ended = work.accepted(), work.closed()
    Case.objects.filter(pk=soon.pk).update(yellow_at=NOW - timedelta(minutes=1), due_at=NOW + timedelta(minutes=9))
    Case.objects.filter(pk=ended.pk).update(is_urgent=True)
    assert numbers(work, "soon") == [soon.number]
    assert ended.number not in numbers(work, "urgent")


def give(client: Client, text: str = "夜里盯住东涌桥") -> Handover:
    answer = client.post("/desk/handover/", {"text": text})
    assert answer.status_code == 303
    return Handover.objects.latest("pk")


def test_the_next_shift_sees_it_on_top_of_the_desk_and_takes_it_with_one_tap(work: Casework, lin: Client) -> None:
    note = give(lin)
    liang = work.world.client("liang")
    assert "夜里盯住东涌桥" in page(liang, "/desk/")
    assert "夜里盯住东涌桥" not in page(lin, "/desk/")
    answer = liang.post(f"/desk/handover/{note.pk}/take", {"next": "/desk/"})
    assert (answer.status_code, answer["Location"]) == (303, "/desk/")
    note.refresh_from_db()
    assert (note.taken_by, note.taken_at) == (work.world.liang, NOW)
    assert "夜里盯住东涌桥" not in page(liang, "/desk/")
    assert "梁宽" in page(lin, f"/desk/handover/{note.pk}/")


def test_it_is_taken_once_and_not_by_who_gave_it(work: Casework, lin: Client) -> None:
    note = give(lin)
    assert lin.post(f"/desk/handover/{note.pk}/take").status_code == 422
    work.world.client("liang").post(f"/desk/handover/{note.pk}/take")
    second = work.world.client("he").post(f"/desk/handover/{note.pk}/take")
    assert second.status_code == 409
    note.refresh_from_db()
    assert note.taken_by == work.world.liang


def test_another_street_finds_no_note_and_others_no_door(work: Casework, lin: Client) -> None:
    note = give(lin)
    wai = work.world.client("wai")
    for method, address in (("get", ""), ("post", "take")):
        assert getattr(wai, method)(f"/desk/handover/{note.pk}/{address}").status_code == 404
    assert "夜里盯住" not in page(wai, "/desk/")
    assert "夜里盯住" not in page(wai, "/desk/handover/")
    for name in ("huang", "wu", "chen", "du", "xi"):
        assert work.world.client(name).get("/desk/handover/").status_code == 403


def test_a_note_keeps_how_it_stood_and_shows_how_it_stands(work: Casework, lin: Client, clock: MovableClock) -> None:
    case = work.reported(is_urgent=True).case
    note = give(lin)
    services.accept(work.fresh(case, "lin"), condition_id=work.condition.pk, by=work.actor("lin"), at=clock.at)
    shown = page(lin, f"/desk/handover/{note.pk}/")
    assert "已立案" in shown
    assert "交班时：待受理" in shown
    assert "print.css" in shown


def test_the_note_holds_no_word_of_a_reporter(work: Casework, lin: Client) -> None:
    work.reported(is_urgent=True, words="鸣警言辞", contact=services.Contact(name="鸣警人", phone="13912345678"))
    note = give(lin)
    assert "鸣警" not in str(note.facts)
    assert note.facts["urgent"]


def test_a_note_that_nobody_took_leaves_the_desk_after_a_day_and_stays_in_the_history(
    work: Casework, lin: Client, clock: MovableClock
) -> None:
    give(lin)
    clock.move(hours=2)
    liang = work.world.client("liang")
    assert "夜里盯住" in page(liang, "/desk/")
    clock.move(hours=23)
    liang = work.world.client("liang")
    assert "夜里盯住" not in page(liang, "/desk/")
    assert "还没有人接" in page(liang, "/desk/handover/")


def test_a_case_is_put_on_the_watch_list_with_a_word_and_taken_off(work: Casework, lin: Client) -> None:
    case = work.accepted()
    address = f"/cases/{case.number}/watch"
    assert lin.post(address, {"text": " "}).status_code == 422
    assert lin.post(address, {"text": "桥上还在漏水"}).status_code == 303
    assert lin.post(address, {"text": "再放一次"}).status_code == 422
    assert "桥上还在漏水" in page(lin, address)
    assert lin.post(address, {"off": "1"}).status_code == 303
    item = WatchItem.objects.get()
    assert (item.off_by, numbers(work, "watch")) == (work.world.lin, [])
    assert lin.post(address, {"text": "又漏了"}).status_code == 303
    assert work.world.client("wai").post(address, {"text": "x"}).status_code == 404


def test_a_case_page_fetches_the_watch_part_only_for_whoever_may_open_it(work: Casework, clock: MovableClock) -> None:
    case = work.accepted()
    address = f"/cases/{case.number}/watch"
    clients = {name: work.world.client(name) for name in ("lin", "he", "liang", "du")}
    offered = {name for name, client in clients.items() if address in page(client, f"/cases/{case.number}/")}
    opened = {name for name, client in clients.items() if client.get(address).status_code == 200}
    assert offered == opened == {"lin", "he", "liang"}


def test_a_desk_elsewhere_does_not_read_why_a_street_keeps_an_eye_on_a_case(work: Casework, lin: Client) -> None:
    wai, world = work.world.wai, work.world  # she works on it in a department here; her desk is in another street
    Post.objects.create(
        person=wai, account=wai.account, role=Role.HANDLER, street=world.street, department=world.sanitation, starts_on=SINCE
    )
    case = work.dispatched()
    address = f"/cases/{case.number}/watch"
    assert lin.post(address, {"text": "桥上还在漏水"}).status_code == 303
    wai = world.client("wai")
    assert wai.get(f"/cases/{case.number}/").status_code == 200
    answer = wai.get(address)
    assert answer.status_code == 403
    assert "桥上还在漏水" not in answer.content.decode()
    assert address not in page(wai, f"/cases/{case.number}/")


def test_the_desk_costs_no_more_statements_than_before(work: Casework, lin: Client) -> None:
    work.accepted()
    give(lin)
    lin.get("/desk/?tray=dispatch")
    assert len(statements_of(lambda: lin.get("/desk/?tray=dispatch"))) <= 6
    for _n in range(30):
        work.reported(is_urgent=True)
    asked = statements_of(lambda: lin.get("/desk/handover/"))
    assert len(asked) <= 16, asked


def test_in_english_the_note_holds_no_chinese_of_ours(work: Casework, lin: Client) -> None:
    give(lin, "see the bridge")
    lin.cookies["django_language"] = "en"
    main = page(lin, "/desk/handover/").split("<main")[1].split("</main>")[0]
    assert set(re.findall(r"[\u4e00-\u9fff]+", main)) <= {"林晓"}
