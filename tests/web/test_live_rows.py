"""What open pages fetch of a change: one row, for whoever has it on the page and may see it, and as the whole page has it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Q
from django.test import Client

from jiequ.cases import services
from jiequ.cases.models import Case, CaseQuerySet
from jiequ.cases.models.case import Ground
from jiequ.cases.queries import lists
from jiequ.cases.views.live import MOST_CASES
from tests.actors import NOW, MovableClock
from tests.casework import Casework
from tests.statements import statements_of
from tests.web.test_live_events import ACTORS, walk, who_may_see

HTMX = {"HX-Request": "true", "Jiequ-By-Itself": "1"}
PARTS = (
    "/leader/?live=waiting",
    "/leader/?live=sent",
    "/todo/?live=rows",
    "/cases/?all=1&live=rows",
    *(f"/desk/?tray={tray.key}&live=rows" for tray in lists.TRAYS),
)
NOT_THEIRS = 403
LEADERS, DESK = {"he", "liang"}, {"lin", "he", "liang", "du"}
OUT_OF_THE_WALKS_WAY = ("returned", "close", "suspended", "late", "suspect")
WALKED: dict[str, set[str]] = {
    "/leader/?live=waiting": LEADERS,
    "/leader/?live=sent": LEADERS,
    "/todo/?live=rows": {"huang", "wu", "zhao", "qian"},
    "/cases/?all=1&live=rows": DESK | {"chen", "huang", "wu", "zhao", "qian"},
    "/desk/?tray=accept&live=rows": DESK,
    "/desk/?tray=dispatch&live=rows": DESK,
    "/desk/?tray=work&live=rows": DESK | {"wu", "qian"},
    **{f"/desk/?tray={tray}&live=rows": set() for tray in OUT_OF_THE_WALKS_WAY},
}
"""Who fetches the row of the walk's case at one of its steps: of each part that the walk reaches somebody does."""


@pytest.fixture
def lin(work: Casework, clock: MovableClock) -> Client:
    return work.world.client("lin")


def part(client: Client, address: str) -> str:
    answer = client.get(address, headers=HTMX)
    assert answer.status_code in {200, NOT_THEIRS}, (address, answer.status_code)
    return answer.content.decode() if answer.status_code == 200 else ""


def rows_of(page: str) -> list[str]:
    return re.findall(r'<(?:tr|article|li)[^>]* data-row="(\d+)', page)


def who_fetches(work: Casework, case: Case, address: str) -> set[str]:
    """Everybody whose page gives the row of that case."""
    return {n for n in ACTORS if str(case.pk) in rows_of(part(work.world.client(n), f"{address}&cases={case.pk}"))}


def each_step(work: Casework) -> Iterator[tuple[str, set[str], set[str]]]:
    """At each step of a confidential case, for each part: who fetches its row, and who may see it."""
    for case in walk(work):
        may = who_may_see(work.world, case)
        for address in PARTS:
            yield address, who_fetches(work, case, address), may


def test_at_each_step_a_row_comes_only_to_those_who_may_see_the_case(work: Casework, clock: MovableClock) -> None:
    came: dict[str, set[str]] = {}
    for address, fetched, may in each_step(work):
        assert fetched <= may, address
        came[address] = came.get(address, set()) | fetched
    assert came == WALKED


def test_pages_that_forget_who_asks_would_be_found(
    work: Casework, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broken twin: the same walk where nothing narrows sight any more."""
    everything = [Ground(Q(), is_desk=True)]
    monkeypatch.setattr("jiequ.cases.queries.lists.grounds", lambda _actor: everything)
    monkeypatch.setattr("jiequ.cases.queries.listing.grounds", lambda _actor: everything)
    leaks = set()
    real = CaseQuerySet.visible_to
    for case in walk(work):
        may = who_may_see(work.world, case)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(CaseQuerySet, "visible_to", lambda self, _actor: self)
            leaks |= {address for address in PARTS if who_fetches(work, case, address) - may}
        assert CaseQuerySet.visible_to is real
    assert {"/cases/?all=1&live=rows", "/desk/?tray=accept&live=rows"} <= leaks


def test_a_row_that_is_fetched_is_the_row_that_the_whole_part_has(work: Casework, clock: MovableClock) -> None:
    made = [
        work.just_reported(),
        work.accepted(),
        work.dispatched(),
        work.checking(),
        work.dispatched(at=NOW - timedelta(days=3)),
    ]
    ids = ",".join(str(case.pk) for case in made)
    shown = set()
    for name in ("lin", "he", "huang", "chen"):
        client = work.world.client(name)
        for address in PARTS:
            whole = part(client, address)
            some = part(client, f"{address}&cases={ids}")
            assert rows_of(some) == [row for row in rows_of(whole) if int(row) in {case.pk for case in made}], (name, address)
            for row in re.findall(r'<(?:tr|article|li) [^>]*data-mark="[^"]+"[^>]*>', some):
                plain = row.replace(' aria-selected="true"', "")
                assert plain in whole.replace(' aria-selected="true"', ""), (name, address)
            shown |= set(rows_of(some))
    assert shown == {str(case.pk) for case in made}


def test_what_is_not_there_and_what_is_not_theirs_look_alike(work: Casework, lin: Client) -> None:
    account = work.account(place=work.place("c"))
    street_id = work.world.other_street.pk
    other = services.report_case(street_id=street_id, account=account, by=work.actor("zhou"), at=NOW).case
    for address in ("/desk/?tray=accept&live=rows", "/cases/?all=1&live=rows"):
        hidden = part(lin, f"{address}&cases={other.pk}")
        assert hidden == part(lin, f"{address}&cases=99999999")
        assert other.number not in hidden
        assert other.number in part(work.world.client("wai"), f"{address}&cases={other.pk}")


def test_a_row_leaves_when_its_case_does(work: Casework, lin: Client) -> None:
    case = work.just_reported()
    address = f"/desk/?tray=accept&live=rows&cases={case.pk}"
    assert rows_of(part(lin, address)) == [str(case.pk)]
    services.accept(work.fresh(case, "lin"), condition_id=work.condition.pk, by=work.actor("lin"), at=NOW)
    assert rows_of(part(lin, address)) == []
    assert rows_of(part(lin, address.replace("tray=accept", "tray=dispatch"))) == [str(case.pk)]


def test_a_filtered_list_gives_a_row_only_while_its_filters_let_it_through(work: Casework, lin: Client) -> None:
    case, other = work.just_reported(), work.accepted()
    both = f"live=rows&cases={case.pk},{other.pk}"
    assert rows_of(part(lin, f"/cases/?state=accepted&{both}")) == [str(other.pk)]
    assert rows_of(part(lin, f"/cases/?light=red&{both}")) == []
    assert sorted(rows_of(part(lin, f"/cases/?order=due&{both}"))) == sorted([str(case.pk), str(other.pk)])


def test_a_list_found_by_words_asks_for_its_own_rows_and_one_by_phone_for_none(work: Casework, lin: Client) -> None:
    work.reported(words="河边有垃圾").case  # noqa: B018
    found = lin.get("/cases/?q=垃圾").content.decode()
    assert "data-live-own" in found
    by_phone = lin.get("/cases/?q=尾号1234").content.decode()
    assert "data-live-part" not in by_phone
    assert "data-live-own" not in lin.get("/cases/?all=1").content.decode()


@pytest.mark.parametrize("cases", ["", "x", "1,", "-1", "²", "1,2;3", ",".join(map(str, range(61)))])
def test_odd_lists_of_cases_are_refused(work: Casework, lin: Client, cases: str) -> None:
    for address in ("/desk/?live=rows", "/cases/?all=1&live=rows"):
        assert lin.get(f"{address}&cases={cases}", headers=HTMX).status_code == 422


def test_as_many_rows_come_back_as_may_be_asked_for(work: Casework, lin: Client) -> None:
    asked = {str(work.just_reported().pk) for _n in range(MOST_CASES)}
    for address in ("/desk/?tray=accept&live=rows", "/cases/?all=1&live=rows", "/cases/?order=due&live=rows"):
        assert set(rows_of(part(lin, f"{address}&cases={','.join(asked)}"))) == asked, address


def test_a_row_has_a_box_to_tick_where_its_page_has_boxes(work: Casework, lin: Client) -> None:
    """Whatever may be done to the row itself: one that is being looked at cannot be accepted, the others of its tray can."""
    looked_at = work.just_reported()
    alone = part(lin, "/desk/?tray=accept&live=rows")
    services.ask_verify(looked_at, by=work.actor("lin"), at=NOW)
    without = part(lin, "/desk/?tray=accept&live=rows")
    work.just_reported()
    page = lin.get("/desk/?tray=accept").content.decode()
    assert [has_tick(one, looked_at) for one in (alone, without, page)] == [True, False, True]
    for shown in (without, page):
        address = re.search(r'id="desk-rows" data-live-part="([^"]+)"', shown)
        assert address is not None
        some = part(lin, f"{html.unescape(address[1])}&cases={looked_at.pk}")
        assert has_tick(some, looked_at) == has_tick(shown, looked_at)


def has_tick(shown: str, case: Case) -> bool:
    row = re.search(rf'<tr [^>]*data-row="{case.pk}".*?</tr>', shown, re.DOTALL)
    assert row is not None
    return "data-tick" in row[0]


def test_an_address_opened_by_hand_shows_the_page(work: Casework, lin: Client) -> None:
    case = work.just_reported()
    for address in ("/desk/?tray=accept&live=rows", "/desk/?live=trays", "/cases/?all=1&live=rows"):
        page = lin.get(f"{address}&cases={case.pk}").content.decode()
        assert "<html" in page
        assert case.number in page


def test_a_row_costs_one_statement_after_who_asks(work: Casework, lin: Client) -> None:
    cases = [work.just_reported() for _n in range(3)]
    ids = ",".join(str(case.pk) for case in cases)
    most = {"/desk/?tray=accept&live=rows&cases=": 4, "/desk/?live=trays&cases=": 4, "/cases/?all=1&live=rows&cases=": 5}
    for address, count in most.items():
        part(lin, address + ids)
        asked = statements_of(lambda address=address: part(lin, address + ids))
        assert len(asked) <= count, (address, asked)
    he = work.world.client("he")
    part(he, f"/leader/?live=waiting&cases={ids}")
    asked = statements_of(lambda: part(he, f"/leader/?live=waiting&cases={ids}"))
    assert len(asked) <= 6, asked


def test_the_numbers_come_without_rows_and_the_rows_without_numbers(work: Casework, lin: Client) -> None:
    case = work.just_reported()
    assert case.number not in part(lin, "/desk/?tray=accept&live=trays")
    assert "desk-trays" not in part(lin, "/desk/?tray=accept&live=rows")


def shown_event(page: str) -> int:
    found = re.search(r'data-live-shown="(\d+)"', page)
    assert found is not None
    return int(found.group(1))


def test_a_case_says_which_event_it_shows_so_that_ones_own_move_is_no_news(work: Casework, lin: Client) -> None:
    case = work.just_reported()
    token = {"version": case.version, "condition_id": work.condition.pk, "next": f"/cases/{case.number}/"}
    page = lin.post(f"/cases/{case.number}/do/accept", token, follow=True).content.decode()
    newest = case.events.latest("pk")
    assert newest.move == "accept"
    assert shown_event(page) == newest.pk
    beside = lin.get(f"/desk/{case.number}/", headers=HTMX).content.decode()
    assert shown_event(beside) == newest.pk
    services.note(work.fresh(case, "du"), text="看过了", by=work.actor("du"), at=NOW)
    heard: Any = lin.get(f"/live/changes?since={newest.pk}").json()["changes"]
    assert heard[0]["events"] == [newest.pk + 1]
    assert shown_event(lin.get(f"/cases/{case.number}/").content.decode()) == newest.pk + 1
