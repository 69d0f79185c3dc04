"""Finding cases over HTTP: words, numbers, a phone's last four, filters as chips, pages both ways, saved filters."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client

from jiequ.cases import jobs, services
from jiequ.cases.models import Case, CaseEvent, Report, Reporter, SavedFilter
from jiequ.cases.queries import lists
from jiequ.cases.services import phones, searching, voice
from jiequ.core.models import AuditEntry
from tests.actors import NOW, MovableClock
from tests.casework import Casework, make_condition
from tests.statements import statements_of


@pytest.fixture
def lin(work: Casework, clock: MovableClock) -> Client:
    return work.world.client("lin")


def text(answer: Any) -> str:
    assert answer.status_code == 200, answer.content.decode()[:500]
    return answer.content.decode()


def found(client: Client, query: str) -> list[int]:
    return [int(pk) for pk in re.findall(r"data-row=\"(\d+)\"", text(client.get(f"/cases/?{query}")))]


def search(client: Client, words: str, more: str = "") -> list[int]:
    return found(client, f"q={quote(words)}{more}")


# -- words -----------------------------------------------------------------------------------------------------------


def test_two_characters_a_longer_word_and_one_character_find_the_newest_first(work: Casework, lin: Client) -> None:
    bin_, river = work.reported(words="垃圾桶满了").case, work.reported(words="河道里有垃圾").case
    bridge = work.reported(words="石桥").case
    assert search(lin, "垃圾") == [river.pk, bin_.pk]
    assert search(lin, "垃圾桶") == [bin_.pk]
    assert search(lin, "河道 垃圾") == [river.pk]
    assert search(lin, "桥") == [bridge.pk]
    assert search(lin, "圾河") == []
    assert search(lin, "！！") == []


def test_a_longer_word_is_found_only_where_it_stands_together(work: Casework, lin: Client) -> None:
    work.reported(words="垃圾和圾桶")
    assert search(lin, "垃圾桶") == []


def test_address_and_type_are_found_too_the_type_from_the_moment_it_is_set(work: Casework, lin: Client) -> None:
    place = work.place()
    case = work.reported(
        words="请来看", place=services.Place(x=place.x, y=place.y, system=place.system, words="鹭江路12号")
    ).case
    assert search(lin, "鹭江路") == [case.pk]
    assert search(lin, "暴露") == []
    services.accept(work.fresh(case, "lin"), condition_id=work.condition.pk, by=work.actor("lin"), at=NOW)
    assert search(lin, "暴露") == [case.pk]


def test_a_corrected_title_and_its_undo_are_followed(work: Casework, lin: Client) -> None:
    case = work.reported(words="请来看").case
    event = services.correct(work.fresh(case, "lin"), title="井盖破损", by=work.actor("lin"), at=NOW)
    assert search(lin, "井盖") == [case.pk]
    services.undo(event.pk, by=work.actor("lin"), at=NOW)
    assert search(lin, "井盖") == []


def test_a_second_voice_is_found_and_a_merge_moves_the_words_with_the_reports(work: Casework, lin: Client) -> None:
    case, other = work.reported(words="路灯不亮").case, work.reported(words="水浮莲").case
    services.me_too(case, account=work.account(words="黑漆漆的"), by=work.actor("zhou"), at=NOW)
    assert search(lin, "黑漆漆") == [case.pk]
    event = services.merge(work.fresh(other, "lin"), into=case.number, by=work.actor("lin"), at=NOW)
    assert case.pk in search(lin, "水浮莲")
    services.unmerge(work.fresh(other, "lin"), by=work.actor("lin"), at=NOW)
    assert search(lin, "水浮莲") == [other.pk]
    assert event.move == "merge"


def test_words_find_nothing_in_another_street_nor_for_who_may_not_see_the_case(work: Casework, clock: MovableClock) -> None:
    case = work.dispatched(words="绿化带垃圾")
    for name, sees in {"lin": True, "he": True, "du": True, "huang": True, "chen": True, "wai": False, "zhao": False}.items():
        assert (case.pk in search(work.world.client(name), "绿化带")) is sees, name


def test_a_long_number_in_the_words_finds_nothing_for_anybody(work: Casework, clock: MovableClock) -> None:
    work.dispatched(words="打我电话 13912345678")
    for name in ("lin", "huang"):
        assert work.world.client(name).get("/cases/?q=13912345678").status_code == 422
        assert search(work.world.client(name), "电话 1391234") == []


def test_a_confidential_report_is_found_by_what_its_page_shows_and_not_by_who_made_it(
    work: Casework, clock: MovableClock
) -> None:
    case = work.dispatched(words="夜里偷排污水", is_confidential=True)
    huang = work.world.client("huang")
    assert search(huang, "偷排") == [case.pk]
    assert search(huang, "周女士") == []
    assert huang.get(f"/cases/?q={quote('尾号5678')}").status_code == 403


def test_erasure_empties_what_search_holds(work: Casework, lin: Client) -> None:
    case = work.closed(words="我家在鹭江路，垃圾没人收", at=NOW - timedelta(days=3))
    report = Report.objects.get(case=case)
    assert search(lin, "鹭江路") == [case.pk]
    voice.erase_person(report, at=NOW)
    assert search(lin, "鹭江路") == []
    assert "鹭江" not in Report.objects.get(pk=report.pk).tokens


def test_the_nightly_job_empties_what_search_holds(work: Casework, lin: Client) -> None:
    case = work.closed(words="我家在鹭江路", at=NOW - timedelta(days=3))
    Case.objects.update(ended_at=NOW - timedelta(days=800))
    Reporter.objects.update(keep_until=NOW - timedelta(days=400))
    jobs.forget_reporters(at=NOW)
    assert search(lin, "鹭江路") == []
    assert search(lin, "暴露") == [case.pk]  # its type names nobody


def test_cases_from_before_are_indexed_a_batch_a_job(work: Casework, lin: Client) -> None:
    made = [work.reported(words="老垃圾").case.pk for _n in range(5)]
    Report.objects.update(tokens="")
    assert search(lin, "垃圾") == []
    last = searching.index_missing(after=0, size=3)
    assert last == made[2]
    assert searching.index_missing(after=last or 0, size=3) is None
    assert search(lin, "垃圾") == made[::-1]


@pytest.mark.sqlite
def test_the_index_says_the_same_as_the_table_after_changes(work: Casework, lin: Client) -> None:
    case = work.closed(words="垃圾", at=NOW - timedelta(days=3))
    voice.erase_person(Report.objects.get(case=case), at=NOW)
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO cases_report_fts(cases_report_fts, rank) VALUES ('integrity-check', 1)")


# -- numbers, phones -------------------------------------------------------------------------------------------------


def test_a_number_is_found_whole_short_and_by_its_year(work: Casework, lin: Client) -> None:
    case, _other = work.just_reported(), work.just_reported()
    year, short = case.number.split("-")[1], str(int(case.number.rsplit("-", 1)[1]))
    for typed in (case.number, case.number.lower(), f"{year}-{short}", short, f"#{short}"):
        assert search(lin, typed) == [case.pk], typed
    assert search(work_client_of_the_other_street(work), case.number) == []


def work_client_of_the_other_street(work: Casework) -> Client:
    return work.world.client("wai")


def test_a_short_number_also_finds_the_house_of_that_number(work: Casework, lin: Client) -> None:
    case = work.reported(words="鹭江路 88 号门口").case
    assert search(lin, "88") == [case.pk]


def test_a_phone_s_last_four_find_for_the_desk_say_so_in_the_audit_and_show_no_phone(work: Casework, lin: Client) -> None:
    case = work.just_reported()
    page = text(lin.get(f"/cases/?q={quote('尾号5678')}"))
    assert f'data-row="{case.pk}"' in page
    assert "13912345678" not in page
    assert "周女士" not in page
    entry = AuditEntry.objects.get(action="case.find_by_phone")
    assert "5678" not in str(entry.facts) + entry.object_id
    assert search(lin, "尾号0000") == []


def test_a_phone_s_last_four_find_nothing_in_another_street_and_nothing_forgotten(work: Casework, lin: Client) -> None:
    case = work.closed(at=NOW - timedelta(days=3))
    assert search(work.world.client("wai"), "尾号5678") == []
    voice.erase_person(Report.objects.get(case=case), at=NOW)
    assert search(lin, "尾号5678") == []


def test_looking_up_phones_is_limited(lin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phones, "PHONES_AN_HOUR", 2)
    answers = [lin.get(f"/cases/?q={quote('尾号')}{n:04d}").status_code for n in range(3)]
    assert answers == [200, 200, 429]


def test_four_digits_alone_offer_the_look_up_to_the_desk_only(work: Casework, clock: MovableClock) -> None:
    work.dispatched()
    assert "按手机尾号 5678 查找" in text(work.world.client("lin").get("/cases/?q=5678"))
    assert "按手机尾号" not in text(work.world.client("huang").get("/cases/?q=5678"))
    assert not AuditEntry.objects.filter(action="case.find_by_phone").exists()


# -- filters ---------------------------------------------------------------------------------------------------------


def test_each_filter_narrows_and_stands_as_a_chip_that_takes_it_away(work: Casework, lin: Client) -> None:
    case, plain = work.dispatched(is_urgent=True), work.just_reported()
    CaseEvent.objects.create(case=case, move="not_delivered", state=case.state, at=NOW)
    edition = work.condition.edition
    grid = work.world.grids["a"].code15
    area = work.world.responsibility_grids["a"].pk
    queries = {
        "urgent=1": {case.pk},
        "undelivered=1": {case.pk},
        f"type={edition.event_type_id}": {case.pk},
        f"type=m{edition.major_code}": {case.pk},
        f"department={work.sanitation}": {case.pk},
        f"department={work.water}": set(),
        "state=dispatched": {case.pk},
        "state=dispatched&state=reported": {case.pk, plain.pk},
        "state=dispatched&state=closed": {case.pk},
        f"grid={grid}": {case.pk, plain.pk},
        "grid=990101001001999": set(),
        f"area={area}": {case.pk, plain.pk},
        "open=1": {case.pk, plain.pk},
        "open=0": set(),
        "mine=opened": set(),
        "period=today": {case.pk, plain.pk},
        "from=2026-03-04&to=2026-03-04": {case.pk, plain.pk},
        "to=2026-03-03": set(),
    }
    for query, expected in queries.items():
        page = text(lin.get(f"/cases/?{query}"))
        assert set(found(lin, query)) == expected, query
        assert page.count('class="chip"') == len(query.split("&")), query
    page = text(lin.get("/cases/?state=dispatched&urgent=1"))
    assert 'href="/cases/?urgent=1"' in page
    assert 'href="/cases/?state=dispatched"' in page


def test_mine_is_what_i_opened_handle_or_what_my_department_leads(work: Casework, clock: MovableClock) -> None:
    case = work.handling(by="chen", source="staff", contact=None)
    services.assign(work.fresh(case, "wu"), person_id=work.world.huang.pk, by=work.actor("wu"), at=NOW)
    assert found(work.world.client("chen"), "mine=opened") == [case.pk]
    huang = work.world.client("huang")
    assert found(huang, "mine=handled") == found(huang, "mine=department") == [case.pk]
    assert found(huang, "mine=opened") == []


def test_an_assisting_department_is_found_where_asked_for(work: Casework, lin: Client) -> None:
    case = work.dispatched(assist=(work.water,))
    assert found(lin, f"department={work.water}") == []
    assert found(lin, f"department={work.water}&part=any") == [case.pk]


@pytest.mark.parametrize(
    "query",
    [
        "mine=all",
        "period=century",
        "from=yesterday",
        "from=2026-02-30",
        "from=2026-03-02&to=2026-03-01",
        "grid=abc",
        "type=m99",
        "open=2",
        "part=x",
        "state=closed&state=flying",
        "order=random",
        "after=x",
        "q=" + "x" * 61,
    ],
)
def test_a_value_that_is_none_is_refused_with_a_sentence(lin: Client, query: str) -> None:
    answer = lin.get(f"/cases/?{query}")
    assert answer.status_code == 422
    assert re.search("没有“|不是|不要超过|晚于", answer.content.decode())


def test_the_count_is_exact_up_to_its_limit_and_then_says_more(
    work: Casework, lin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _n in range(4):
        work.just_reported()
    assert ">4 件<" in text(lin.get("/cases/?source=resident"))
    monkeypatch.setattr("jiequ.cases.queries.listing.COUNTED", 3)
    monkeypatch.setattr(lists, "COUNTED", 3)
    assert "3 件以上" in text(lin.get("/cases/?source=resident"))


@pytest.mark.parametrize("query", ["source=resident", "q=%E5%9E%83%E5%9C%BE", "order=due"])
def test_pages_turn_both_ways_without_losing_or_repeating_a_case(
    work: Casework, lin: Client, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    made = [work.reported(words=f"垃圾 {n}").case.pk for n in range(7)]
    real = lists.case_page
    monkeypatch.setattr(lists, "case_page", lambda actor, filters, **more: real(actor, filters, **more, size=3))
    there, address = [], f"/cases/?{query}"
    while address:
        page = text(lin.get(address))
        there.append([int(pk) for pk in re.findall(r"data-row=\"(\d+)\"", page)])
        last, address = address, _turned(page, "next")
    expected = made if query == "order=due" else made[::-1]
    assert [pk for rows in there for pk in rows] == expected
    back, address = [there[-1]], _turned(text(lin.get(last)), "prev")
    while address:
        page = text(lin.get(address))
        back.append([int(pk) for pk in re.findall(r"data-row=\"(\d+)\"", page)])
        address = _turned(page, "prev")
    assert back[::-1] == there


def _turned(page: str, rel: str) -> str:
    following = re.search(rf'rel="{rel}" href="([^"]+)"', page)
    return "/cases/" + following.group(1).replace("&amp;", "&") if following else ""


def test_a_list_takes_six_statements_at_most_with_every_filter_and_on_every_page(work: Casework, lin: Client) -> None:
    for _n in range(3):
        work.dispatched()
    for query in ("state=dispatched&urgent=1", "q=%E5%9E%83%E5%9C%BE", "order=due", "before=999999", "after=1", "period=week"):
        lin.get(f"/cases/?{query}")
        made = statements_of(lambda query=query: text(lin.get(f"/cases/?{query}")))  # type: ignore[misc]
        assert len(made) <= 6, (query, made)


def test_everybody_s_list_is_exactly_what_they_may_see(work: Casework, clock: MovableClock) -> None:
    for make in (work.just_reported, work.accepted, work.dispatched, work.checking, work.closed):
        make()
    make_condition("0999", name="别的")
    work.reported(by="wai", source="staff", contact=None, place=work.place("c"))
    for name in ("lin", "chen", "liu", "huang", "wu", "zhao", "ding", "he", "liang", "du", "qu", "wai"):
        actor = work.actor(name)
        expected = list(Case.objects.visible_to(actor).order_by("-pk").values_list("pk", flat=True))
        assert [case.pk for case in lists.case_page(actor, lists.Filters(), at=NOW).rows] == expected, name


# -- saved filters ---------------------------------------------------------------------------------------------------


def save(client: Client, name: str, query: str) -> Any:
    return client.post("/cases/filters/", {"name": name, "query": query})


def test_a_filter_is_saved_named_opened_and_replaced_under_its_name(work: Casework, lin: Client) -> None:
    done = save(lin, "急件", "urgent=1&state=")
    assert (done.status_code, done["Location"]) == (302, "/cases/?urgent=1")
    save(lin, "急件", "urgent=1&open=1")
    kept = SavedFilter.objects.get()
    assert (kept.name, kept.query) == ("急件", "open=1&urgent=1")
    page = text(lin.get("/cases/?open=1&urgent=1"))
    assert re.search(r'href="/cases/\?open=1&amp;urgent=1" aria-current="page">急件', page)


@pytest.mark.parametrize(("name", "query"), [("", "urgent=1"), ("x" * 31, ""), ("a", "state=flying"), ("a", "q=尾号5678")])
def test_what_cannot_be_kept_is_refused_with_a_sentence(lin: Client, name: str, query: str) -> None:
    assert save(lin, name, query).status_code == 422
    assert not SavedFilter.objects.exists()


def test_the_default_filter_is_where_the_list_begins(work: Casework, lin: Client) -> None:
    save(lin, "急件", "urgent=1")
    kept = SavedFilter.objects.get()
    lin.post(f"/cases/filters/{kept.pk}/default")
    assert lin.get("/cases/")["Location"] == "/cases/?urgent=1"
    assert lin.get("/cases/?all=1").status_code == 200
    lin.post(f"/cases/filters/{kept.pk}/plain")
    assert lin.get("/cases/").status_code == 200


def test_filters_are_renamed_ordered_removed_and_taken_back(work: Casework, lin: Client) -> None:
    save(lin, "甲", "urgent=1")
    save(lin, "乙", "open=1")
    first, second = SavedFilter.objects.order_by("pk")
    lin.post(f"/cases/filters/{second.pk}/up")
    assert list(SavedFilter.objects.values_list("name", flat=True)) == ["乙", "甲"]
    assert lin.post(f"/cases/filters/{second.pk}/rename", {"name": "甲"}).status_code == 422
    lin.post(f"/cases/filters/{second.pk}/rename", {"name": "丙"})
    gone = lin.post(f"/cases/filters/{second.pk}/remove")
    page = text(lin.get(gone["Location"]))
    assert "丙" not in page
    assert f"/cases/filters/{second.pk}/restore" in page
    lin.post(f"/cases/filters/{second.pk}/restore")
    assert "丙" in text(lin.get("/cases/filters/"))
    assert lin.post(f"/cases/filters/{first.pk}/explode").status_code == 404
    jobs.sweep_filters(at=NOW + timedelta(days=60))
    assert SavedFilter.objects.count() == 2


def test_only_a_lead_of_the_desk_shares_and_only_the_street_sees_it(work: Casework, lin: Client) -> None:
    save(lin, "我的", "urgent=1")
    own = SavedFilter.objects.get()
    assert lin.post(f"/cases/filters/{own.pk}/share").status_code == 403
    liang = work.world.client("liang")
    save(liang, "大家看", "light=red")
    shared = SavedFilter.objects.get(name="大家看")
    liang.post(f"/cases/filters/{shared.pk}/share")
    assert "大家看" in text(lin.get("/cases/"))
    assert "大家看" not in text(work.world.client("wai").get("/cases/"))
    liang.post(f"/cases/filters/{shared.pk}/unshare")
    assert "大家看" not in text(lin.get("/cases/"))


def test_nobody_changes_somebody_else_s_filter(work: Casework, lin: Client) -> None:
    save(lin, "我的", "urgent=1")
    kept = SavedFilter.objects.get()
    wai = work.world.client("wai")
    for act in ("rename", "default", "remove", "restore"):
        assert wai.post(f"/cases/filters/{kept.pk}/{act}", {"name": "偷"}).status_code == 404, act
    kept.refresh_from_db()
    assert (kept.name, kept.removed_at) == ("我的", None)
