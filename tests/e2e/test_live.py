"""Pages that really listen: a browser, the web server and the process of live events, each of its own, on the real clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from jiequ.cases import services
from jiequ.cases.models import Case
from jiequ.core import middleware
from tests.actors import make_world
from tests.casework import Casework, make_condition
from tests.support.live import Process, process

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]

BY_ASKING_MS = 15_000


@pytest.fixture
def work(transactional_db: None, settings: Any, tmp_path: Path) -> Casework:
    settings.MEDIA_ROOT = tmp_path
    return Casework(make_world(), make_condition())


@pytest.fixture
def live(work: Casework, live_server: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Process]:
    """The process, and pages that know where it listens and may, as ``JIEQU_LIVE_URL`` sets both up."""
    with process(pages=live_server.url) as running:
        origin = f"http://{urlsplit(live_server.url).hostname}:{running.port}"
        settings.LIVE_URL = f"{origin}/live/stream"
        policy = middleware.CONTENT_SECURITY_POLICY.replace("connect-src 'self'", f"connect-src 'self' {origin}")
        monkeypatch.setitem(middleware.HEADERS, "Content-Security-Policy", policy)
        yield running


class Opened:
    """A page that listens, and what it asked for by itself since."""

    def __init__(self, reader: Any, work: Casework, address: str, *, name: str = "lin", size: str = "desk") -> None:
        self.page: Page = reader(size=size, person=work.world.people[name])
        self.page.goto(address)
        self.page.wait_for_selector("html.is-started[data-live=listening]")
        self.asked: list[str] = []
        self.page.on("request", lambda request: self._note(request.url, request.headers))

    def _note(self, url: str, headers: dict[str, str]) -> None:
        if "jiequ-by-itself" in headers:
            parts = urlsplit(url)
            self.asked.append(f"{parts.path}?{parts.query}")

    def row(self, case: Case) -> Any:
        return self.page.locator(f":is(tr, article)[data-row='{case.pk}']")

    def fetched(self) -> list[str]:
        """Of which cases rows were fetched; "all" where it was a whole part. (What happened just before is looked at again.)"""
        rows = [one for one in self.asked if "live=" in one and "live=trays" not in one]
        return [one.partition("cases=")[2] or "all" for one in rows]


def now_accepted(work: Casework) -> Case:
    return work.accepted(at=timezone.now())


def by_another(work: Casework, case: Case, text: str = "看过了") -> None:
    services.note(work.fresh(case, "du"), text=text, by=work.actor("du"), at=timezone.now())


def test_the_desk_fetches_the_changed_row_and_nothing_moves_under_the_hand(work: Casework, live: Process, reader: Any) -> None:
    _first, second = now_accepted(work), now_accepted(work)
    desk = Opened(reader, work, "/desk/?tray=dispatch")
    page = desk.page
    page.keyboard.press("j")
    page.keyboard.press(" ")
    expect(desk.row(second)).to_be_focused()
    third = now_accepted(work)
    expect(desk.row(third)).to_be_visible()
    expect(desk.row(third)).to_have_class("live-changed")
    expect(desk.row(second)).to_be_focused()
    expect(page.locator("[data-tick]:checked")).to_have_count(1)
    assert desk.fetched()[-1] == str(third.pk)
    assert "all" not in desk.fetched()
    expect(page.locator(".desk-trays [aria-current] b")).to_have_text("3")
    services.dispatch(work.fresh(third, "lin"), lead_id=work.sanitation, assist_ids=[], by=work.actor("lin"), at=timezone.now())
    expect(desk.row(third)).to_have_count(0)
    order = [row.get_attribute("data-turn") for row in page.locator("tr[data-row]").all()]
    assert order == sorted(str(turn) for turn in order)
    assert not [one for one in desk.asked if one.startswith("/live/changes")]


def test_a_leaders_page_has_a_report_as_soon_as_it_is_made_and_puts_it_first(
    work: Casework, live: Process, reader: Any
) -> None:
    old = work.reported(at=timezone.now()).case
    leader = Opened(reader, work, "/leader/", name="he", size="phone")
    expect(leader.row(old)).to_be_visible()
    new = work.reported(at=timezone.now()).case
    expect(leader.row(new)).to_be_visible()
    shown = [row.get_attribute("data-row") for row in leader.page.locator("#leader-waiting [data-row]").all()]
    assert shown == [str(new.pk), str(old.pk)]
    assert leader.fetched()[-1] == str(new.pk)
    assert "all" not in leader.fetched()


FOLLOW = """async (bursts) => {
  const { follow } = await import("/static/web/js/renew.js");
  for (const burst of bursts) follow(burst.map((id) => ({ id, state: "accepted", light: "" })), false);
}"""


def test_many_bursts_at_once_ask_for_no_more_than_is_given(work: Casework, live_server: Any, reader: Any) -> None:
    """What gathers until the next asking is counted together: a part that stands still asks for its own rows first."""
    mine = [now_accepted(work) for _n in range(3)]
    far = [10_000 + n for n in range(75)]
    bursts = [[far[0], mine[0].pk], *(far[n : n + 15] for n in range(0, 75, 15)), [mine[1].pk, mine[2].pk]]
    for address, part in (("/cases/?state=accepted", "cases"), ("/desk/?tray=dispatch", "desk")):
        page = reader(person=work.world.people["lin"])
        page.goto(address)
        page.wait_for_selector("html.is-started")
        for case in mine:
            by_another(work, case)
        with page.expect_response(lambda answer, part=part: f"/{part}/" in answer.url and "live=rows" in answer.url) as asked:
            page.evaluate(FOLLOW, bursts)
        assert asked.value.status == 200, asked.value.url
        named = parse_qs(urlsplit(asked.value.url).query).get("cases", ["all"])[0].split(",")
        if part == "cases":
            assert (len(named), {str(case.pk) for case in mine} < set(named), str(far[-1]) in named) == (60, True, True)
            expect(page.locator("#list-rows [data-row].live-changed")).to_have_count(3)
        else:
            assert named == ["all"]


def test_the_list_stands_still_renews_its_rows_and_says_how_many_are_new(work: Casework, live: Process, reader: Any) -> None:
    first, second = now_accepted(work), now_accepted(work)
    listed = Opened(reader, work, "/cases/?state=accepted")
    page = listed.page
    page.keyboard.press("j")
    expect(listed.row(second)).to_be_focused()
    before = listed.row(first).bounding_box()
    third = now_accepted(work)
    button = page.locator("[data-live-news]")
    expect(button).to_have_text("有 1 件新的，点这里看")
    expect(listed.row(third)).to_have_count(0)
    assert listed.row(first).bounding_box() == before
    expect(listed.row(second)).to_be_focused()
    Case.objects.filter(pk=first.pk).update(voices=3)
    by_another(work, first)
    expect(listed.row(first)).to_contain_text("3 人反映")
    services.dispatch(
        work.fresh(second, "lin"), lead_id=work.sanitation, assist_ids=[], by=work.actor("lin"), at=timezone.now()
    )
    expect(listed.row(second)).to_have_class("row-left")
    expect(listed.row(second)).to_contain_text("已不符合这里的条件")
    with page.expect_navigation():
        page.keyboard.press("t")
    expect(listed.row(third)).to_be_visible()
    expect(listed.row(second)).to_have_count(0)


def test_ones_own_move_is_no_news_and_anothers_is(work: Casework, live: Process, reader: Any) -> None:
    case = now_accepted(work)
    page = Opened(reader, work, f"/cases/{case.number}/").page
    notice = page.locator("[data-live-notice]").first
    page.goto(f"/cases/{case.number}/do/note")
    page.locator("form.move-form [name=text]").fill("已电话核实")
    with page.expect_navigation(url=f"**/cases/{case.number}/**"):
        page.locator("form.move-form button[type=submit]:not([name])").click()
    page.wait_for_selector("html.is-started[data-live=listening]")
    expect(page.locator("main")).to_contain_text("已电话核实")
    page.wait_for_timeout(1500)  # what was missed is told at once; a look is four times a second
    expect(notice).to_be_hidden()
    by_another(work, case)
    expect(notice).to_be_visible()


def test_beside_the_tray_too(work: Casework, live: Process, reader: Any) -> None:
    case = now_accepted(work)
    desk = Opened(reader, work, "/desk/?tray=dispatch")
    notice = desk.page.locator("#desk-panel [data-live-notice]")
    expect(desk.page.locator(f"#desk-panel [data-panel='{case.number}']")).to_be_visible()
    desk.page.wait_for_timeout(1000)
    expect(notice).to_be_hidden()
    by_another(work, case)
    expect(notice).to_be_visible()


def test_when_the_stream_dies_pages_ask_and_when_it_is_back_they_listen(work: Casework, live: Process, reader: Any) -> None:
    now_accepted(work)
    desk = Opened(reader, work, "/desk/?tray=dispatch")
    page = desk.page
    live.kill()
    expect(page.locator("html[data-live=asking]")).to_be_attached(timeout=BY_ASKING_MS)
    missed = now_accepted(work)
    expect(desk.row(missed)).to_be_visible(timeout=BY_ASKING_MS)
    assert [one for one in desk.asked if one.startswith("/live/changes?since=")]
    live.start()
    expect(page.locator("html[data-live=listening]")).to_be_attached(timeout=60_000)
    heard = now_accepted(work)
    expect(desk.row(heard)).to_be_visible()
