"""Orders in: once for their number, by the source's map, refused with the reason, changed only by the desk's word."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

from jiequ.cases import services as cases
from jiequ.cases.models import Case, CaseEvent, ImportIssue, Report, Reporter
from jiequ.channels.models import Message
from jiequ.core.errors import Refusal
from jiequ.core.worktime import ZONE
from jiequ.doors.hotline import services
from jiequ.doors.hotline.models import Order, Source
from tests.actors import NOW, MovableClock
from tests.casework import Casework
from tests.support.hotline import MAP, Hotline

pytestmark = pytest.mark.django_db


def due_of(case: Case) -> str:
    """The outer clock's limit, in Shanghai."""
    due = datetime.fromisoformat(Case.objects.get(pk=case.pk).clocks["outer"]["due_at"])
    return due.astimezone(ZONE).isoformat()


def test_an_order_becomes_a_case_with_its_limit_and_goes_to_its_unit(work: Casework, there: Hotline) -> None:
    answer = there.send("orders", there.order(work.world))
    assert answer.status_code == 201, answer.content
    case = Case.objects.get()
    assert answer.json()["case"] == case.number
    assert (case.source, case.state, case.lead_id) == ("hotline", "dispatched", work.sanitation)
    assert due_of(case) == "2026-03-09T10:00:00+08:00"
    report = Report.objects.get()
    assert (report.system, report.source_ref, report.seen_at) == ("广州热线", "GZ-1", NOW)
    assert "13912345678" not in str(list(Reporter.objects.values())) + str(list(Order.objects.values()))


def test_an_order_that_comes_again_is_answered_alike_and_makes_no_case(work: Casework, there: Hotline) -> None:
    order = there.order(work.world)
    first = there.send("orders", order)
    again = there.send("orders", order | {"热线内部备注": "第二次发送"})
    assert (again.status_code, again.content) == (201, first.content)
    assert (Case.objects.count(), Order.objects.get().times) == (1, 2)


def test_words_that_mean_nothing_here_wait_on_the_review_list(work: Casework, there: Hotline) -> None:
    order = there.order(work.world, 问题类别="噪声扰民", 承办单位="不认识的所", 所属社区="")
    assert there.send("orders", order).status_code == 201
    assert set(ImportIssue.objects.values_list("system", "kind", "value")) == {
        ("广州热线", "type", "噪声扰民"),
        ("广州热线", "unit", "不认识的所"),
    }
    assert Case.objects.get().state == "reported"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"来电时间": "昨天"}, "看不懂的时间"),
        ({"来电时间": "2026-03-05 10:00:00", "办理时限": "2026-03-09 10:00:00"}, "将来"),
        ({"办理时限": "2026-03-01 10:00:00"}, "早于"),
        ({"来电时间": "2026-03-01 08:00:00", "办理时限": "2026-03-02 10:00:00"}, "已经过去"),
        ({"工单编号": ""}, "单号"),
    ],
)
def test_a_bad_order_is_refused_in_plain_words_and_stands_in_the_log(
    work: Casework, there: Hotline, changes: dict[str, str], said: str
) -> None:
    answer = there.send("orders", there.order(work.world, **changes))
    assert (answer.status_code, answer.json()["code"]) == (422, "order_refused")
    assert said in answer.json()["message"]
    row = Order.objects.get()
    assert (row.state, said in row.reason) == ("refused", True)
    assert not Case.objects.exists()


def test_after_the_map_is_mended_the_refused_order_is_tried_again(work: Casework, there: Hotline) -> None:
    there.send("orders", there.order(work.world, 来电时间="04/03/2026 10:00"))
    source, by = Source.objects.select_related("system__street").get(), work.actor("xi")
    services.save_map(source, 'dates = ["%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M"]\n' + MAP, by=by, at=NOW)
    row = Order.objects.get()
    page = work.world.client("xi").post(f"/hotline/orders/{row.pk}/again")
    assert page.status_code == 302
    row.refresh_from_db()
    assert (row.state, row.reason, row.case_id) == ("taken", "", Case.objects.get().pk)


# -- the same number, another content --------------------------------------------------------------------------------------


def changed(work: Casework, there: Hotline) -> Order:
    """An order that came with another limit, other words and another caller a day later."""
    there.send("orders", there.order(work.world))
    new = there.order(
        work.world,
        办理时限="2026-03-06 18:00:00",
        诉求内容="垃圾更多了，13900000000",
        caller={"name": "鸣人", "phone": "13900000001"},
    )
    answer = there.send("orders", new)
    assert (answer.status_code, answer.json()["code"]) == (409, "order_changed")
    assert there.send("orders", new).status_code == 409
    return Order.objects.get(state="update")


def test_another_content_is_a_conflict_and_the_desk_decides(work: Casework, there: Hotline) -> None:
    row, case = changed(work, there), Case.objects.get()
    assert due_of(case) == "2026-03-09T10:00:00+08:00"
    assert Message.objects.filter(template="hotline_changed", to_role="acceptor").count() == 1
    lin = work.world.client("lin")
    assert row.number in lin.get("/hotline/").content.decode()
    page = lin.get(f"/hotline/updates/{row.pk}/").content.decode()
    assert "垃圾更多了" in page
    assert not [word for word in ("鸣人", "13900000000", "13900000001") if word in page]

    assert lin.post(f"/hotline/updates/{row.pk}/", {"act": "take", "text": "按新的办"}).status_code == 302
    assert due_of(case) == "2026-03-06T18:00:00+08:00"
    note = CaseEvent.objects.get(move="note").text
    assert "垃圾更多了" in note
    assert not [word for word in ("鸣人", "13900000000", "13900000001") if word in note]
    assert lin.post(f"/hotline/updates/{row.pk}/", {"act": "leave"}).status_code == 409


def test_a_change_that_is_not_taken_changes_nothing(work: Casework, there: Hotline) -> None:
    row, case = changed(work, there), Case.objects.get()
    assert work.world.client("lin").post(f"/hotline/updates/{row.pk}/", {"act": "leave"}).status_code == 302
    assert due_of(case) == "2026-03-09T10:00:00+08:00"
    assert not CaseEvent.objects.filter(move="note").exists()


def test_a_change_is_not_for_another_street(work: Casework, there: Hotline) -> None:
    row = changed(work, there)
    wai = work.world.client("wai")
    assert wai.get(f"/hotline/updates/{row.pk}/").status_code == 404
    assert wai.post(f"/hotline/updates/{row.pk}/", {"act": "take"}).status_code == 404
    assert row.number not in wai.get("/hotline/").content.decode()


# -- the door --------------------------------------------------------------------------------------------------------------


def test_only_the_sources_own_key_opens_its_door(work: Casework, there: Hotline) -> None:
    order = there.order(work.world)
    _system, other = cases.make_system(
        name="别的热线", kind="hotline", street_id=None, is_trusted=False, by=work.actor("xi"), at=NOW
    )
    assert there.send("orders", order, token=other).status_code == 404
    assert there.send("orders", order, token="nobody").status_code == 401
    source = Source.objects.select_related("system").get()
    fresh = services.renew_key(source, by=work.actor("xi"), at=NOW)
    assert there.send("orders", order).status_code == 401
    assert there.send("orders", order, token=fresh).status_code == 201


@pytest.mark.parametrize(
    "body", [b"[1]", b"{", b"\xff", b'"x"', b"[" * 5000, json.dumps({str(n): n for n in range(500)}).encode()]
)
def test_what_is_no_order_is_refused_whole(work: Casework, there: Hotline, body: bytes) -> None:
    assert there.send("orders", body).status_code in {400, 422}
    assert not Order.objects.exists()


def test_a_paused_source_says_come_back_later(work: Casework, there: Hotline) -> None:
    xi, source = work.world.client("xi"), Source.objects.get()
    xi.post(f"/hotline/sources/{source.pk}/pause", {"act": "pause"})
    answer = there.send("orders", there.order(work.world))
    assert (answer.status_code, answer["Retry-After"]) == (503, "600")
    xi.post(f"/hotline/sources/{source.pk}/pause", {"act": "resume"})
    assert there.send("orders", there.order(work.world)).status_code == 201


def test_the_return_window_is_the_sources_own(work: Casework, there: Hotline, clock: MovableClock) -> None:
    Source.objects.update(return_minutes=15)
    there.send("orders", there.order(work.world, 问题类别="别的"))
    case = Case.objects.get()
    assert cases.return_minutes_left(work.fresh(case, "lin"), NOW + timedelta(minutes=5)) == 10
    with pytest.raises(Refusal, match="退回时限已过"):
        cases.reject(work.fresh(case, "lin"), reason_code="outside_duty", by=work.actor("lin"), at=NOW + timedelta(minutes=16))


# -- the administrator tries a map -----------------------------------------------------------------------------------------


def test_a_sample_shows_what_its_case_would_be_and_stores_nothing(work: Casework, there: Hotline) -> None:
    xi, source = work.world.client("xi"), Source.objects.get()
    sample = json.dumps(there.order(work.world, 问题类别="不认识"), ensure_ascii=False)
    page = xi.post(f"/hotline/sources/{source.pk}/map", {"act": "try", "map_text": MAP, "sample": sample})
    text = page.content.decode()
    assert page.status_code == 200
    for word in ("GZ-1", "环卫站（所）", work.world.grid_a.code15, "不认识", "有，密封保存", "等受理员受理"):
        assert word in text, word
    assert not Case.objects.exists()
    assert not Order.objects.exists()


def test_a_wrong_map_is_refused_with_line_and_key_and_the_old_one_stays(work: Casework, there: Hotline) -> None:
    xi, source = work.world.client("xi"), Source.objects.get()
    page = xi.post(f"/hotline/sources/{source.pk}/map", {"act": "save", "map_text": MAP.replace('"0110"', '"9999"')})
    assert page.status_code == 422
    assert "9999" in page.content.decode()
    source.refresh_from_db()
    assert source.map_text == MAP
