"""Live events: every open page hears at once what its reader may see, and never of anything else (issue 3, proofs)."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from jiequ.cases import services
from jiequ.cases.models import Case, CaseEvent, CaseQuerySet
from jiequ.cases.queries import changes
from jiequ.people.models import Post, Session
from jiequ.web.live.watching import Watch
from tests.actors import NOW, MovableClock, World, make_world
from tests.casework import Casework, make_condition
from tests.statements import statements_of
from tests.support.live import Listener, Process, process, soon

ACTORS = ("lin", "chen", "liu", "huang", "wu", "zhao", "qian", "ding", "he", "liang", "du", "qu", "wai", "wai_handler", "xi")


def session_of(world: World, name: str) -> str:
    return str(world.client(name).cookies["jiequ_session"].value)


# -- what is told, without the process: each look is one of its beats --------------------------------------------------


@pytest.fixture
def watch(work: Casework, clock: MovableClock) -> Watch:
    """A process that has just started, with something on the timeline."""
    work.just_reported()
    started = Watch()
    started.look([], check=True)
    return started


def hashes(world: World) -> dict[str, str]:
    """A session's hash for everybody."""
    for name in ACTORS:
        world.client(name)
    held = dict(Session.objects.values_list("person_id", "key_hash"))
    return {name: held[world.people[name].pk] for name in ACTORS}


def who_hears(watch: Watch, sessions: dict[str, str], case_id: int) -> set[str]:
    look = watch.look(sessions.values(), check=False)
    return {n for n, key in sessions.items() if case_id in [c["id"] for c in look.told.get(key, {}).get("changes", [])]}


def who_may_see(world: World, case: Case) -> set[str]:
    """Asked by another way than the process asks: each person's own page of the case."""
    return {name for name in ACTORS if world.client(name).get(f"/cases/{case.number}/").status_code == 200}


def walk(work: Casework) -> Iterator[Case]:
    """A confidential case through the loop, by each who moves it."""
    case = work.reported(is_confidential=True).case
    yield case
    services.accept(work.fresh(case, "lin"), condition_id=work.condition.pk, by=work.actor("lin"), at=NOW)
    yield case
    services.dispatch(work.fresh(case, "lin"), lead_id=work.sanitation, assist_ids=[work.water], by=work.actor("lin"), at=NOW)
    yield case
    services.acknowledge(work.fresh(case, "huang"), by=work.actor("huang"), at=NOW)
    yield case


def leaks(watch: Watch, work: Casework) -> tuple[list[set[str]], list[set[str]]]:
    """At each step of the walk: who heard, and who may see."""
    sessions = hashes(work.world)
    heard, may = [], []
    for case in walk(work):
        heard.append(who_hears(watch, sessions, case.pk))
        may.append(who_may_see(work.world, case))
    return heard, may


def test_at_each_step_of_a_case_exactly_those_hear_of_it_who_may_see_it(work: Casework, watch: Watch) -> None:
    heard, may = leaks(watch, work)
    assert heard == may
    assert heard[0] == {"lin", "chen", "he", "liang", "du"}  # the desk, and the grid worker of the place
    assert heard[3] == {"lin", "chen", "he", "liang", "du", "huang", "wu", "zhao", "qian"}


def test_a_process_that_does_not_ask_would_be_found(work: Casework, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: everybody hears of everything."""
    monkeypatch.setattr(changes, "seen", lambda _actor, cases: list(cases))
    heard, may = leaks(watch, work)
    assert all("wai" in names and "liu" in names for names in heard)
    assert heard != may


def test_a_process_that_keeps_its_actors_would_be_found(
    work: Casework, watch: Watch, monkeypatch: pytest.MonkeyPatch, clock: MovableClock
) -> None:
    """The broken twin of asking afresh: with remembered seats a post that was taken away goes on hearing."""
    sessions = hashes(work.world)
    kept = dict(zip(sessions.values(), (work.actor(name) for name in sessions), strict=True))
    monkeypatch.setattr("jiequ.web.live.watching.actors_of_sessions", lambda keys, at: {key: kept[key] for key in keys})
    take_the_post_of(work, "huang")
    case = work.dispatched()
    assert "huang" in who_hears(watch, sessions, case.pk)


def take_the_post_of(work: Casework, name: str) -> None:
    Post.objects.filter(person=work.world.people[name]).update(ends_on=NOW.date())


def test_who_lost_the_post_hears_nothing_from_then_on(work: Casework, watch: Watch) -> None:
    sessions = hashes(work.world)
    case = work.dispatched()
    assert "huang" in who_hears(watch, sessions, case.pk)
    take_the_post_of(work, "huang")
    services.acknowledge(work.fresh(case, "wu"), by=work.actor("wu"), at=NOW)
    assert who_hears(watch, sessions, case.pk) == {"lin", "chen", "he", "liang", "du", "wu"}


def test_the_deputy_of_somebody_on_leave_hears_in_their_place(work: Casework, watch: Watch) -> None:
    world, sessions = work.world, hashes(work.world)
    world.lin.leaves.create(deputy=world.liu, starts_at=NOW - timedelta(hours=1), ends_at=NOW + timedelta(days=1))
    Session.objects.filter(person=world.liu).update(data=Session.objects.get(person=world.liu).data)
    case = work.just_reported()
    heard = who_hears(watch, sessions, case.pk)
    assert ("liu" in heard) == (world.client("liu").get(f"/cases/{case.number}/").status_code == 200)


@pytest.mark.parametrize("end", ["signed out", "disabled", "other password", "idle"])
def test_an_ended_session_is_not_among_the_living(work: Casework, watch: Watch, clock: MovableClock, end: str) -> None:
    sessions = hashes(work.world)
    he = work.world.he
    if end == "signed out":
        Session.objects.filter(person=he).delete()
    elif end == "disabled":
        type(he).objects.filter(pk=he.pk).update(is_active=False, disabled_at=NOW)
    elif end == "other password":
        type(he).objects.filter(pk=he.pk).update(session_epoch=2)
    else:
        Session.objects.filter(person=he).update(idle_end_at=clock.at)
    look = watch.look(sessions.values(), check=True)
    assert look.alive is not None
    assert sessions["he"] not in look.alive
    assert sessions["lin"] in look.alive
    case = work.just_reported()
    assert "he" not in who_hears(watch, sessions, case.pk)


def test_a_session_that_never_showed_the_second_factor_opens_nothing(work: Casework, watch: Watch) -> None:
    from tests.actors import client_of

    weak = client_of(work.world.lin, is_strong=False)
    key = Session.objects.latest("begun_at").key_hash
    assert weak.get("/desk/").status_code == 401 or weak.get("/desk/").status_code == 302
    assert watch.welcome(key, since=None, page_at=None) is None


def test_what_is_told_holds_no_word_and_no_name(work: Casework, watch: Watch) -> None:
    sessions = hashes(work.world)
    case = work.reported(words="鸣警言辞", contact=services.Contact(name="鸣警人", phone="13912345678")).case
    services.note(work.fresh(case, "lin"), text="鸣警记录", by=work.actor("lin"), at=NOW)
    told = watch.look(sessions.values(), check=False).told[sessions["lin"]]
    (change,) = told["changes"]
    assert change.pop("events") == list(case.events.values_list("pk", flat=True))
    assert change == {
        "id": case.pk, "number": case.number, "state": "reported", "light": "green", "did": ["report", "note"]
    }  # fmt: skip
    assert "鸣" not in json.dumps(told, ensure_ascii=False)


def test_looking_at_nothing_new_costs_two_statements_and_writes_none(work: Casework, watch: Watch) -> None:
    sessions = hashes(work.world)
    watch.look(sessions.values(), check=True)
    assert len(statements_of(lambda: watch.look(sessions.values(), check=False))) == 2
    work.just_reported()
    asked = statements_of(lambda: watch.look(sessions.values(), check=False))
    assert all(one.lstrip().upper().startswith(("SELECT", "WITH")) for one in asked)
    assert len(asked) <= 6 + len(sessions)  # one each for those whose sight needs a question


def test_a_desk_of_any_number_of_persons_costs_no_more_than_one(work: Casework, watch: Watch) -> None:
    sessions = hashes(work.world)

    def cost(names: tuple[str, ...]) -> int:
        work.just_reported()
        return len(statements_of(lambda: watch.look([sessions[name] for name in names], check=False)))

    assert cost(("lin", "he", "liang", "du")) == cost(("lin",)) <= 6


def test_an_event_that_is_committed_late_is_told_and_none_twice(
    work: Casework, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL: a transaction took its number first and was stored last."""
    monkeypatch.setattr(changes, "connection", type("On", (), {"vendor": "postgresql"}))
    sessions = hashes(work.world)
    case = work.just_reported()
    top = CaseEvent.objects.latest("pk").pk
    watch.look(sessions.values(), check=False)
    event = {"case": case, "move": "note", "state": case.state, "at": NOW}
    CaseEvent.objects.create(pk=top + 5, **event)
    look = watch.look(sessions.values(), check=False)
    assert look.floor == top
    assert look.told[sessions["lin"]]["changes"][0]["did"] == ["note"]
    assert watch.look(sessions.values(), check=False).told == {}
    CaseEvent.objects.create(pk=top + 3, **{**event, "move": "urge"})
    late = watch.look(sessions.values(), check=False)
    assert late.told[sessions["lin"]]["changes"][0]["did"] == ["urge"]
    assert watch.welcome(sessions["lin"], since=late.floor, page_at=None) is not None


def test_a_gap_that_is_old_holds_up_nothing(work: Casework, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "connection", type("On", (), {"vendor": "postgresql"}))
    long_ago = NOW - timedelta(minutes=5)
    rows = [changes.Happening(n, 1, "note", long_ago) for n in (1, 2, 9)]
    assert changes.settled(rows, 0, NOW) == 9
    young = [*rows, changes.Happening(12, 1, "note", NOW)]
    assert changes.settled(young, 0, NOW) == 9


# -- asking, where it cannot be heard -----------------------------------------------------------------------------------


def test_a_page_that_asks_is_answered_alike_and_keeps_no_session_alive(work: Casework, clock: MovableClock) -> None:
    he = work.world.client("he")
    work.just_reported()
    began = he.get("/live/changes").json()["since"]
    case = work.just_reported()
    news = he.get(f"/live/changes?since={began}").json()
    assert [change["id"] for change in news["changes"]] == [case.pk]
    assert he.get(f"/live/changes?since={news['since']}").json()["changes"] == []
    assert he.get(f"/live/changes?at={int(NOW.timestamp() * 1000)}").json()["changes"] != []
    assert work.world.client("wai").get(f"/live/changes?since={began}").json()["changes"] == []
    ends = Session.objects.get(person=work.world.he).idle_end_at
    clock.move(minutes=30)
    he.get(f"/live/changes?since={began}", headers={"Jiequ-By-Itself": "1"})
    assert Session.objects.get(person=work.world.he).idle_end_at == ends
    he.get("/leader/")
    assert Session.objects.get(person=work.world.he).idle_end_at > ends


@pytest.mark.parametrize("query", ["since=x", "since=-1", "since=99999999999999", "at=99999999999999", "at=²", "since=1&at=1"])
def test_odd_questions_get_an_answer(work: Casework, query: str) -> None:
    assert work.world.client("lin").get(f"/live/changes?{query}").status_code == 200


def test_too_much_at_once_is_told_as_all(work: Casework, clock: MovableClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "MOST_CASES", 2)
    lin = work.world.client("lin")
    since = lin.get("/live/changes").json()["since"]
    for _n in range(3):
        work.just_reported()
    assert lin.get(f"/live/changes?since={since}").json()["all"] is True


# -- the process itself ------------------------------------------------------------------------------------------------


@pytest.fixture
def world_on_disk(transactional_db: None) -> Casework:
    return Casework(make_world(), make_condition())


@pytest.fixture
def live(world_on_disk: Casework) -> Iterator[Process]:
    with process() as running:
        yield running


def now_reported(work: Casework) -> Case:
    return work.reported(at=timezone.now()).case


@pytest.mark.django_db(transaction=True)
def test_open_pages_hear_of_a_report_and_others_do_not(world_on_disk: Casework, live: Process) -> None:
    work = world_on_disk
    pages = {n: Listener(live.port, session_of(work.world, n)).welcomed() for n in ("he", "lin", "chen", "liu", "wai", "huang")}
    case = now_reported(work)
    for name in ("he", "lin", "chen"):
        soon(lambda name=name: pages[name].told_of(case.pk) == ["report"])
    account = work.account(place=work.place("c"))
    street_id = work.world.other_street.pk
    other = services.report_case(street_id=street_id, account=account, by=work.actor("zhou"), at=timezone.now()).case
    soon(lambda: pages["wai"].told_of(other.pk))
    assert [name for name, page in pages.items() if page.told_of(case.pk)] == ["he", "lin", "chen"]
    assert [name for name, page in pages.items() if page.told_of(other.pk)] == ["wai"]
    for page in pages.values():
        page.close()


@pytest.mark.django_db(transaction=True)
def test_a_killed_process_comes_back_and_nothing_is_missed(world_on_disk: Casework, live: Process) -> None:
    work = world_on_disk
    session = session_of(work.world, "he")
    page = Listener(live.port, session).welcomed()
    made = [now_reported(work)]
    soon(lambda: page.told_of(made[0].pk))
    live.kill()
    soon(lambda: page.is_over)
    page.close()
    made += [now_reported(work) for _n in range(3)]
    live.start()
    back = Listener(live.port, session, headers={"Last-Event-ID": page.since}).welcomed()
    made.append(now_reported(work))
    soon(lambda: all(page.told_of(case.pk) or back.told_of(case.pk) for case in made))
    back.close()


@pytest.mark.django_db(transaction=True)
def test_without_its_bookmark_a_page_would_miss_what_happened_meanwhile(world_on_disk: Casework, live: Process) -> None:
    """The broken twin: a browser that comes back as if for the first time."""
    work = world_on_disk
    session = session_of(work.world, "he")
    witness = Listener(live.port, session).welcomed()
    missed = now_reported(work)
    soon(lambda: witness.told_of(missed.pk))
    back = Listener(live.port, session).welcomed()
    heard = now_reported(work)
    soon(lambda: back.told_of(heard.pk))
    assert back.told_of(missed.pk) == []
    back.close()
    witness.close()


@pytest.mark.django_db(transaction=True)
def test_what_happened_between_a_page_and_its_listening_is_told(world_on_disk: Casework, live: Process) -> None:
    made_at = int(time.time() * 1000)
    case = now_reported(world_on_disk)
    page = Listener(live.port, session_of(world_on_disk.world, "he"), query=f"?at={made_at}").welcomed()
    soon(lambda: page.told_of(case.pk))
    page.close()


@pytest.mark.django_db(transaction=True)
def test_streams_end_with_the_session_and_the_oldest_gives_way(world_on_disk: Casework, live: Process) -> None:
    work = world_on_disk
    session = session_of(work.world, "he")
    pages = [Listener(live.port, session).welcomed() for _n in range(7)]
    soon(lambda: pages[0].is_over)
    assert pages[0].events[-1][1]["reason"] == "too_many"
    assert not any(page.is_over for page in pages[1:])
    Session.objects.filter(person=work.world.he).delete()
    now_reported(work)
    for page in pages[1:]:
        soon(lambda page=page: page.is_over)
        assert page.events[-1] == ("closed", {"reason": "signed_out"})
        assert page.changes == []
    for page in pages:
        page.close()


@pytest.mark.django_db(transaction=True)
def test_the_door_opens_to_our_own_pages_only(world_on_disk: Casework, live: Process, settings: Any) -> None:
    session = session_of(world_on_disk.world, "he")
    ours = Listener(live.port, session, headers={"Origin": settings.BASE_URL})
    assert ours.status == 200
    assert ours.answer.headers["Access-Control-Allow-Origin"] == settings.BASE_URL
    assert ours.answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert ours.answer.headers["Content-Type"].startswith("text/event-stream")
    ours.close()
    for headers, status in (
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Cookie": ""}, 401),
        ({"Cookie": "jiequ_session=nobody"}, 401),
        ({"Cookie": ";;;jiequ_session"}, 401),
    ):
        asked = Listener(live.port, session, headers=headers)
        assert asked.status == status, headers
        assert "Access-Control-Allow-Origin" not in asked.answer.headers
        asked.close()


def test_sight_is_narrowed_in_one_place(work: Casework, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin of the narrowing itself."""
    monkeypatch.setattr(CaseQuerySet, "visible_to", lambda self, _actor: self)
    sessions = hashes(work.world)
    assert "wai" in who_hears(watch, sessions, work.just_reported().pk)
