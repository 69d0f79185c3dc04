"""The desk over HTTP: trays, the case beside them, moves from a row, the list with its map. SQL counted with sign-in."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from jiequ.cases import services
from jiequ.cases.models import Case, CaseEvent, ControlArea, FilingCondition
from jiequ.cases.queries import lists
from jiequ.channels.models import Message
from jiequ.channels.queries import staff_hears_at
from jiequ.core.models import Street
from jiequ.people.models import Person
from tests.actors import NOW, MovableClock
from tests.casework import Casework, make_condition
from tests.statements import statements_of

HTMX = {"HX-Request": "true"}
THEIR_WORDS = re.compile(
    r'class="report-words">[^<]*<|<div class="preview-text".*?</div>'
    r'|(?s:<button class="button button-wide standard-one".*?</button>)'
    r"|“[^“”<]*”"  # quoted where a suggestion says what decided
)
"""What a reporter said, or will read, in their language."""
INLINE = re.compile(r"<[^>]+\sstyle=|<script(?![^>]+src=)|\son[a-z]+=")
TRAYS = [tray.key for tray in lists.TRAYS]


@pytest.fixture
def lin(work: Casework, clock: MovableClock) -> Client:
    """林, acceptor and dispatcher, at the desk."""
    return work.world.client("lin")


def text(answer: Any) -> str:
    assert answer.status_code == 200, answer.content.decode()[:500]
    return answer.content.decode()


def panel(client: Client, number: str, query: str = "") -> str:
    return text(client.get(f"/desk/{number}/{query}", headers=HTMX))


def rows_of(page: str) -> list[str]:
    return re.findall(r"<tr tabindex=\"-1\" data-row=\"(\d+)\"", page)


def test_every_tray_opens_in_both_languages_without_inline_style_or_script(work: Casework, lin: Client) -> None:
    for make in (work.just_reported, work.accepted, work.dispatched, work.checked, work.checking):
        make()
    for language in ("zh-hans", "en"):
        lin.cookies["django_language"] = language
        for tray in TRAYS:
            page = text(lin.get(f"/desk/?tray={tray}"))
            assert not INLINE.search(page)
            assert 'aria-current="page"' in page


def test_a_tray_shows_its_cases_by_due_time_with_light_word_place_voices_and_lead(
    work: Casework, lin: Client, clock: MovableClock
) -> None:
    late = work.dispatched(at=NOW - timedelta(days=3))
    soon = work.dispatched(at=NOW)
    Case.objects.filter(pk=soon.pk).update(voices=4)
    page = text(lin.get("/desk/?tray=work"))
    assert rows_of(page) == [str(late.pk), str(soon.pk)]
    assert "已超期" in page
    assert "环卫站（所）" in page
    assert "4 人反映" in page
    assert re.search(r"超期 <b>1</b>", page)


def test_each_row_offers_its_moves_as_links_that_come_back_to_the_tray(work: Casework, lin: Client) -> None:
    case = work.just_reported()
    page = text(lin.get("/desk/"))
    for move, key in (("accept", "a"), ("reject", "r")):
        link = re.search(rf'<a class="row-act" data-move="{move}" href="([^"]+)"[^>]*data-key="{key}"', page)
        assert link is not None
        assert link.group(1).startswith(f"/cases/{case.number}/do/{move}?next=")
    form = text(lin.get(f"/cases/{case.number}/do/accept?next=%2Fdesk%2F%3Ftray%3Daccept"))
    assert 'name="next" value="/desk/?tray=accept"' in form


def test_a_row_offers_only_what_its_reader_may_do(work: Casework, clock: MovableClock) -> None:
    number = work.dispatched().number
    assert f"/cases/{number}/do/urge" in text(work.world.client("he").get("/desk/?tray=work"))
    assert f"/cases/{number}/do/urge" not in text(work.world.client("lin").get("/desk/?tray=work"))


def test_trays_and_pages_of_fifty_cost_at_most_six_statements_with_sign_in(
    work: Casework, lin: Client, django_assert_max_num_queries: Any
) -> None:
    for _n in range(3):
        work.accepted()
    lin.get("/desk/")  # the house's name, the types and the calendar are read once a process
    few = statements_of(lambda: text(lin.get("/desk/?tray=dispatch")))
    for _n in range(12):
        work.accepted()
    many = statements_of(lambda: text(lin.get("/desk/?tray=dispatch")))
    assert len(many) == len(few) <= 6, many
    lin.get("/cases/")
    listed = statements_of(lambda: text(lin.get("/cases/")))
    assert len(listed) <= 6, listed
    assert len(statements_of(lambda: text(lin.get("/cases/points.json")))) <= 6


def test_a_case_beside_the_tray_costs_at_most_eight_statements(work: Casework, lin: Client) -> None:
    for case in (work.just_reported(), work.accepted(), work.checked()):
        panel(lin, case.number)
        asked = statements_of(partial(panel, lin, case.number))
        assert len(asked) <= 8, (case.state, len(asked), asked)


def test_the_cases_page_costs_at_most_eight_statements_for_the_desk(work: Casework, lin: Client) -> None:
    for case in (work.just_reported(), work.dispatched(), work.checked()):
        text(lin.get(f"/cases/{case.number}/"))
        asked = statements_of(partial(lin.get, f"/cases/{case.number}/"))
        assert len(asked) <= 8, (case.state, len(asked), asked)


def test_a_call_entered_at_the_desk_comes_back_to_its_case(work: Casework, lin: Client) -> None:
    assert 'href="/report/" data-key="n"' in text(lin.get("/desk/"))
    given = {"source": "caller", "words": "路灯不亮", "name": "周女士", "phone": "13912345678"}
    given["community"] = str(work.world.communities["east"].pk)
    done = lin.post("/report/", given)
    case = Case.objects.get(source="caller")
    assert (done.status_code, done["Location"]) == (303, f"/cases/{case.number}/?new=1")


def test_a_tray_is_turned_page_by_page_without_losing_or_repeating_a_case(
    work: Casework, lin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [str(work.just_reported().pk) for _n in range(7)]
    real = lists.tray_page
    monkeypatch.setattr(lists, "tray_page", lambda actor, key, **more: real(actor, key, **more, size=3))
    seen: list[str] = []
    address = "/desk/"
    for _n in range(3):
        page = text(lin.get(address))
        seen += rows_of(page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        address = following.group(1).replace("&amp;", "&") if following else ""
    assert seen == made
    assert address == ""


def test_the_case_beside_the_tray_falls_back_to_its_page(work: Casework, lin: Client) -> None:
    case = work.just_reported()
    answer = lin.get(f"/desk/{case.number}/")
    assert (answer.status_code, answer["Location"]) == (302, f"/cases/{case.number}/")


def test_another_streets_desk_sees_nothing_of_it(work: Casework, clock: MovableClock) -> None:
    case = work.just_reported()
    wai = work.world.client("wai")
    assert case.number not in text(wai.get("/desk/"))
    assert case.number not in text(wai.get("/cases/"))
    assert text(wai.get("/cases/points.json")).startswith('{"ids": []')
    assert wai.get(f"/desk/{case.number}/", headers=HTMX).status_code == 404


def test_accepting_shows_limit_and_proofs_and_the_control_area(work: Casework, lin: Client) -> None:
    case = work.just_reported()
    ControlArea.objects.create(
        street=work.world.street,
        community=case.community,
        name="东涌路管线施工",
        notice_zh="施工到三月底",
        starts_at=NOW - timedelta(days=1),
        ends_at=NOW + timedelta(days=9),
        changed_at=NOW,
    )
    page = panel(lin, case.number, "?do=accept")
    assert "data-panel-focus" in page
    option = re.search(rf'<option value="{work.condition.pk}"[^>]*>', page)
    assert option is not None
    assert 'data-limit="4工作时"' in option.group(0)
    assert 'data-proofs="处置后照片"' in option.group(0)
    assert f'hx-get="/cases/{case.number}/known' in page
    assert "东涌路管线施工" in page


def known(client: Client, number: str, **more: Any) -> str:
    return text(client.get(f"/cases/{number}/known", more, headers=HTMX))


def test_beside_a_report_stand_the_likeliest_earlier_ones_with_badge_and_why_in_fifteen_statements(
    work: Casework, lin: Client
) -> None:
    other, case = work.just_reported(), work.just_reported()
    page = known(lin, case.number, next="/desk/")
    assert f'name="into" value="{other.number}"' in page
    for said in ("可能有关", "文字 100 % 相近", "同一天", 'data-key="f"'):
        assert said in page
    asked = statements_of(partial(known, lin, case.number))
    assert len(asked) <= 15, asked
    lin.cookies["django_language"] = "en"
    assert "Perhaps related" in known(lin, case.number)
    whole = text(lin.get(f"/cases/{case.number}/known"))  # without scripts
    assert f'name="into" value="{other.number}"' in whole


@pytest.mark.parametrize("hidden", [{"is_confidential": True}, {"is_suspect": True}])
def test_no_hidden_report_stands_beside_another_and_none_beside_a_confidential_one(
    work: Casework, lin: Client, hidden: dict[str, bool]
) -> None:
    other, case = work.just_reported(), work.just_reported()
    assert other.number in known(lin, case.number)
    Case.objects.filter(pk=other.pk).update(**hidden)
    assert other.number not in known(lin, case.number)
    if "is_confidential" in hidden:
        answer = lin.get(f"/cases/{other.number}/known", headers=HTMX)
        assert answer.status_code == 404 or case.number not in answer.content.decode()


def test_nobody_of_another_street_learns_what_stands_beside_a_case(work: Casework, clock: MovableClock) -> None:
    case = work.just_reported()
    assert work.world.client("wai").get(f"/cases/{case.number}/known", headers=HTMX).status_code in {403, 404}


def test_one_press_merges_into_the_near_case_and_the_toast_takes_it_back(work: Casework, lin: Client) -> None:
    other, case = work.just_reported(), work.just_reported()
    given = {"version": case.version, "into": other.number, "next": "/desk/?tray=accept"}
    done = lin.post(f"/cases/{case.number}/do/merge", given)
    assert done.status_code == 303
    page = text(lin.get(done["Location"]))
    case.refresh_from_db()
    assert (case.state, case.merged_into_id) == ("merged", other.pk)
    assert rows_of(page) == [str(other.pk)]
    toast = re.search(r'<form class="toast toast-undo" method="post" action="([^"]+)"', page)
    key = re.search(r'name="idempotency_key" value="(unmerge-[^"]+)"', page)
    assert toast is not None
    assert key is not None
    back = lin.post(toast.group(1), {"idempotency_key": key.group(1), "next": "/desk/"})
    assert back.status_code == 303
    case.refresh_from_db()
    assert case.state == "reported"
    assert text(lin.get("/desk/")).count("data-row=") == 2


def test_dispatching_offers_the_catalogues_department_and_no_reason_within_working_time(work: Casework, lin: Client) -> None:
    case = work.accepted()
    page = panel(lin, case.number, "?do=dispatch&next=/desk/")
    assert re.search(rf'<option value="{work.sanitation}" selected>', page)
    assert "send_now_reason" not in page
    assert "非工作时间" not in page


def test_at_night_the_form_says_when_the_notice_arrives_and_takes_a_reason_to_ring_now(
    work: Casework, clock: MovableClock
) -> None:
    case = work.accepted()
    clock.move(hours=12)
    lin = work.world.client("lin")
    page = panel(lin, case.number, "?do=dispatch")
    assert "现在是非工作时间" in page
    hears_at = staff_hears_at(clock.at)
    assert hears_at > clock.at
    assert f'datetime="{timezone.localtime(hears_at).isoformat(timespec="minutes")}"' in page
    given = {"version": case.version, "lead_id": work.sanitation, "send_now_reason": "河水漫堤"}
    assert lin.post(f"/cases/{case.number}/do/dispatch", given).status_code == 303
    event = CaseEvent.objects.get(case=case, move="dispatch")
    assert event.facts["send_now_reason"] == "河水漫堤"
    assert Message.objects.get(about=f"case:{case.pk}", template="new_task").is_urgent


def test_a_case_sent_from_the_tray_comes_back_to_the_tray_and_is_undone_from_there(work: Casework, lin: Client) -> None:
    case = work.accepted()
    given = {"version": case.version, "lead_id": work.sanitation, "next": "/desk/?tray=dispatch"}
    done = lin.post(f"/cases/{case.number}/do/dispatch", given)
    assert done["Location"].startswith("/desk/?tray=dispatch&done=")
    page = text(lin.get(done["Location"]))
    assert rows_of(page) == []
    undo = re.search(r'class="toast toast-undo" method="post" action="([^"]+)"', page)
    assert undo is not None
    back = lin.post(undo.group(1), {"next": "/desk/?tray=dispatch"})
    assert (back.status_code, back["Location"]) == (303, "/desk/?tray=dispatch")
    assert rows_of(text(lin.get(back["Location"]))) == [str(case.pk)]


def test_over_htmx_a_move_sends_the_browser_on_and_a_refusal_leaves_the_form(work: Casework, lin: Client) -> None:
    case = work.accepted()
    address = f"/cases/{case.number}/do/dispatch"
    stale = lin.post(address, {"version": 99, "lead_id": work.sanitation}, headers=HTMX)
    assert (stale.status_code, stale["HX-Retarget"]) == (409, "#refusal")
    empty = lin.post(address, {"version": case.version, "lead_id": ""}, headers=HTMX)
    assert empty.status_code == 422
    assert 'id="do-dispatch"' in empty.content.decode()
    assert "hx-post" in empty.content.decode()
    done = lin.post(address, {"version": case.version, "lead_id": work.sanitation, "next": "/desk/"}, headers=HTMX)
    assert done.status_code == 204
    assert done["HX-Redirect"].startswith("/desk/?done=")


def test_closing_and_rejecting_show_what_the_reporter_will_read_in_their_language(work: Casework, lin: Client) -> None:
    closing = panel(lin, work.checked().number, "?do=close")
    assert "data-preview" in closing
    assert "上报人会读到" in closing
    case = work.just_reported()
    case.reports.update(language="en")
    rejecting = panel(lin, case.number, "?do=reject")
    assert f'data-preview="/cases/{case.number}/preview/reject"' in rejecting
    told = text(lin.post(f"/cases/{case.number}/preview/reject", {"reason_code": "litigation"}))
    assert re.search(r'<div class="preview-text" lang="en"><p>[A-Z]', told)


def test_a_returned_case_says_why_it_came_back(work: Casework, lin: Client) -> None:
    case = work.fresh(work.dispatched(), "wu")
    services.return_case(case, reason_code="wrong_place", text="在河对岸", by=work.actor("wu"), at=NOW)
    page = panel(lin, case.number)
    assert "位置有误，现场不在辖区" in page
    assert "在河对岸" in page


def test_a_case_waits_for_its_check_before_closing_is_offered(work: Casework, lin: Client) -> None:
    waiting, ready = work.checking(), work.checked()
    page = text(lin.get("/desk/?tray=close"))
    assert f"/cases/{waiting.number}/do/check_pass" in page
    assert f"/cases/{waiting.number}/do/close" not in page
    assert f"/cases/{ready.number}/do/close" in page
    assert f"/cases/{ready.number}/do/check_pass" not in page


def test_a_held_report_lies_in_its_own_tray_and_is_cleared_from_there(work: Casework, lin: Client) -> None:
    case = work.just_reported()
    Case.objects.filter(pk=case.pk).update(is_suspect=True)
    assert rows_of(text(lin.get("/desk/?tray=accept"))) == []
    assert rows_of(text(lin.get("/desk/?tray=suspect"))) == [str(case.pk)]
    assert f"/cases/{case.number}/clear" in panel(lin, case.number)
    lin.post(f"/cases/{case.number}/clear", {"next": "/desk/?tray=suspect"})
    assert rows_of(text(lin.get("/desk/?tray=accept"))) == [str(case.pk)]


def test_the_counts_are_renewed_on_their_own(work: Casework, lin: Client) -> None:
    work.just_reported()
    part = text(lin.get("/desk/?tray=accept&live=trays", headers=HTMX))
    assert "<html" not in part
    assert re.search(r"待受理 <b>1</b>", part)
    assert rows_of(part) == []


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=accepted", {"b"}),
        ("light=red", set()),
        ("light=green", {"a", "b"}),
        ("source=resident", {"a", "b"}),
        ("source=hotline", set()),
        ("state=&light=&type=&department=&community=&source=&number=", {"a", "b"}),
    ],
)
def test_the_list_is_narrowed_by_each_filter(work: Casework, lin: Client, query: str, found: set[str]) -> None:
    made = {"a": work.just_reported(), "b": work.accepted()}
    page = text(lin.get(f"/cases/?{query}"))
    assert {name for name, case in made.items() if case.number in page} == found
    points = lin.get(f"/cases/points.json?{query}").json()
    assert set(points["ids"]) == {made[name].pk for name in found}
    assert len(points["lon"]) == len(points["url"]) == len(points["light"]) == len(found)


def test_the_list_is_narrowed_by_type_department_community_and_number(work: Casework, lin: Client) -> None:
    other = make_condition("0111", name="积存渣土")
    case, second = work.dispatched(), work.just_reported()
    services.accept(work.fresh(second, "lin"), condition_id=other.pk, by=work.actor("lin"), at=NOW)
    for query in (
        f"type={work.condition.edition.event_type_id}",
        f"department={work.sanitation}",
        f"number={case.number.lower()}",
    ):
        page = text(lin.get(f"/cases/?{query}"))
        assert case.number in page, query
        assert second.number not in page, query
    assert second.number in text(lin.get(f"/cases/?community={second.community_id}"))
    assert text(lin.get("/cases/?community=999999")).count("data-row=") == 0


@pytest.mark.parametrize("query", ["state=flying", "light=pink", "source=rumour", "type=x", "before=-1", "community=1%27"])
def test_a_filter_that_does_not_exist_is_refused_with_a_sentence(lin: Client, query: str) -> None:
    for path in ("/cases/", "/cases/points.json"):
        answer = lin.get(f"{path}?{query}")
        assert answer.status_code == 422
        assert "没有“" in answer.content.decode() or "不是一个编号" in answer.content.decode()


def test_the_list_is_turned_page_by_page(work: Casework, lin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [str(work.just_reported().pk) for _n in range(5)]
    real = lists.case_page
    monkeypatch.setattr(lists, "case_page", lambda actor, filters, **more: real(actor, filters, **more, size=2))
    seen, address = [], "/cases/?source=resident"
    while address:
        page = text(lin.get(address))
        seen += rows_of(page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        address = "/cases/" + following.group(1).replace("&amp;", "&") if following else ""
    assert seen == made[::-1]


def test_the_policy_page_is_filled_in_and_refuses_a_wrong_number_in_the_form(work: Casework, clock: MovableClock) -> None:
    xi = work.world.client("xi")
    page = text(xi.get("/types/policy/"))
    values = dict(re.findall(r'name="(\w+)" value="([^"]*)"', page))
    values |= dict(re.findall(r'<select name="(\w+)"(?:(?!</select>).)*?value="([^"]*)" selected', page, re.DOTALL))
    assert "首接部门负责到底" in page
    form = {n: v for n, v in values.items() if n not in {"csrfmiddlewaretoken", "idempotency_key"}} | {
        "first_responsible": "on"
    }
    wrong = xi.post("/types/policy/", form | {"bounce_limit": "9"})
    assert wrong.status_code == 422
    assert 'value="9"' in wrong.content.decode()
    street = Street.objects.order_by("code9").first()
    assert street is not None
    done = xi.post("/types/policy/", form | {"bounce_limit": "3"})
    assert done.status_code == 302
    street.refresh_from_db()
    assert street.settings == {"bounce_limit": 3}
    stale = xi.post("/types/policy/", form | {"bounce_limit": "4"})
    assert stale.status_code == 409
    assert work.world.client("lin").get("/types/policy/").status_code == 403


def test_the_english_desk_holds_no_chinese_of_ours(work: Casework, clock: MovableClock) -> None:
    Person.objects.update(name="Somebody")
    cases = [work.just_reported(), work.accepted(), work.dispatched(), work.checked()]
    Case.objects.update(title="Rubbish by the river", address="")
    FilingCondition.objects.update(name_en="Rubbish", closing_condition_en="Cleared")
    pages = [f"/desk/?tray={tray}" for tray in TRAYS] + ["/cases/", "/types/policy/"]
    lin, xi = work.world.client("lin"), work.world.client("xi")
    for client in (lin, xi):
        client.cookies["django_language"] = "en"
    chinese = re.compile(r"[\u4e00-\u9fff]+")
    for path in pages:
        page = text((xi if "policy" in path else lin).get(path))
        main = re.sub(r'value="[^"]*"|<option.*?</option>', "", page[page.index("<main") : page.index("</main>")])
        assert not set(chinese.findall(main)) - {"首接负责制"}  # the term itself is data, path
    moves = ["accept", "dispatch", "urge", "close"]
    for case, move in zip(cases, moves, strict=True):
        page = THEIR_WORDS.sub("", panel(lin, case.number, f"?do={move}"))
        assert not chinese.findall(page), (move, chinese.findall(page))
