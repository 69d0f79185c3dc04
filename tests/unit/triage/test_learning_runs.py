"""Learning anew: in a child process, taken only if better, five kept, rolled back by a click, tied to the district."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from jiequ.cases import services as case_services
from jiequ.channels.models import Message
from jiequ.core.db import writing
from jiequ.core.errors import Refusal
from jiequ.core.models import District, Job
from jiequ.triage import feed, files, fitting, running
from jiequ.triage.cards import card_of
from jiequ.triage.minds import ModelRefused, load
from jiequ.triage.models import Cause, Kind, Learning, Lesson, Progress, Standing, UrgentWord, Version, Week
from jiequ.triage.services import Ask, judging, learning, suggest_type
from tests.actors import NOW, World
from tests.casework import Casework, make_condition

pytestmark = pytest.mark.django_db
WORDS = {
    "event:0110": ("生活垃圾没人清运堆在路口{n}", "垃圾堆发臭{n}天了没人收", "楼下一堆生活垃圾{n}"),
    "event:0401": ("流动摊贩占了人行道{n}", "小摊贩占道摆卖挡路{n}", "摊贩占道油烟大{n}"),
}


class SmallLedger:
    """A ledger of two types and two departments, with words that differ; ``wrong``: so many newest ones say the other type."""

    def __init__(self, count: int = 80, wrong: int = 0, since: datetime = NOW - timedelta(days=60)) -> None:
        self.rows = [self._row(n, n >= count - wrong, since) for n in range(count)]

    def _row(self, n: int, is_wrong: bool, since: datetime) -> feed.CaseRow:
        code = ("event:0110", "event:0401")[n % 2]
        words = WORDS[code][n % 3].format(n=n * 37 % 101) + "，位置在东涌" + "甲乙丙丁戊己庚辛"[n % 8] + "巷"
        told = {"event:0110": "event:0401", "event:0401": "event:0110"}[code] if is_wrong else code
        at = NOW - timedelta(minutes=5) if is_wrong else since + timedelta(hours=n)
        return feed.CaseRow(n + 1, words, told, "990101001", "990101001001", "resident", at, "7")

    def types(self) -> list[feed.TypeFact]:
        return [feed.TypeFact("event:0110", ("市容", "暴露生活垃圾")), feed.TypeFact("event:0401", ("街面", "流动摊贩占道"))]

    def names(self) -> dict[str, str]:
        return {one.code: one.path[-1] for one in self.types()}

    def before_newest(self, most: int) -> int:
        return 0

    def cases(self, after: int, size: int) -> list[feed.CaseRow]:
        return [row for row in self.rows if row.ref > after][:size]

    def before_newest_dispatches(self, most: int) -> int:
        return max(0, len(self.rows) - most)

    def dispatches(self, after: int, size: int) -> list[feed.DispatchRow]:
        department = {"event:0110": "hw", "event:0401": "zf"}
        return [
            feed.DispatchRow(
                r.ref, r.ref, r.type_code, department[r.type_code], False, r.street, r.community, r.source, r.at, r.words
            )
            for r in self.rows
            if r.ref > after
        ][:size]

    def words(self, refs: Any) -> dict[int, str]:
        return {row.ref: row.words for row in self.rows if row.ref in set(refs)}

    def latest(self, size: int) -> list[feed.CaseRow]:
        return self.rows[-size:]


@pytest.fixture
def ledger(world: World, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> SmallLedger:
    settings.TRIAGE = str(tmp_path / "triage")
    small = SmallLedger()
    monkeypatch.setattr(feed, "_feeds", [small])
    running.forget()
    return small


def learn(at: datetime = NOW, cause: Cause = Cause.BY_HAND) -> Learning:
    run = learning.ask(cause=cause, at=at)
    settle = learning.work(run.pk, at=at)
    assert settle is not None
    with writing():
        settle()
    running.forget()
    return Learning.objects.get(pk=run.pk)


def test_a_run_makes_both_models_in_a_child_and_they_are_used(world: World, ledger: SmallLedger) -> None:
    run = learn()
    assert (run.progress, run.examples) == (Progress.DONE, 80)
    used = {one.kind: one for one in Version.objects.filter(standing=Standing.CHAMPION)}
    assert set(used) == {"type", "department"}
    for one in used.values():
        path = files.folder("990101") / one.name
        assert files.digest(path) == (one.sha256, one.size_bytes)
        assert path.stat().st_mode & 0o077 == 0
    assert used["type"].card["macro_f1"] > 0.8
    advice = suggest_type(Ask("路口又有生活垃圾没人清"))
    assert (advice.version, advice.choices[0].code) == (1, "event:0110")


def test_a_model_of_another_district_is_refused_and_the_names_stand_in(world: World, ledger: SmallLedger) -> None:
    learn()
    version = Version.objects.get(kind="type")
    with pytest.raises(ModelRefused):
        load(files.folder("990101") / version.name, district="440310")
    District.objects.update(code6="440310")
    (files.folder("440310") / version.name).write_bytes((Path(files.folder("990101")) / version.name).read_bytes())
    running.forget()
    assert running.current().model.cases == 0  # type: ignore[union-attr]


def test_a_file_that_was_changed_is_not_used(world: World, ledger: SmallLedger) -> None:
    learn()
    path = files.folder("990101") / Version.objects.get(kind="type").name
    path.write_bytes(path.read_bytes()[:-7] + b"changed")
    running.forget()
    assert running.current().model.cases == 0  # type: ignore[union-attr]
    assert suggest_type(Ask("垃圾")).choices


def test_a_damaged_file_in_use_does_not_stop_the_next_run(world: World, ledger: SmallLedger) -> None:
    learn(at=NOW - timedelta(minutes=10))
    for one in Version.objects.all():
        (files.folder("990101") / one.name).write_bytes(b"half of it")
    run = learn()
    assert run.progress == Progress.DONE
    assert {one.number for one in Version.objects.filter(standing=Standing.CHAMPION)} == {2}


def test_of_a_long_record_the_newest_dispatches_are_learnt(
    world: World, ledger: SmallLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learning, "MOST_DISPATCHES", 30)
    monkeypatch.setattr(learning, "PART", 7)
    lines = learning._lines(files.folder("990101"), "990101", ledger, 0, NOW)
    sent = [line["dispatch"]["words"] for line in lines if "dispatch" in line]
    assert sent == [row.words for row in ledger.rows[-30:]]


def test_a_run_of_the_command_line_whose_terminal_was_closed_stands_in_the_way_a_quarter_of_an_hour_at_most(
    world: World, ledger: SmallLedger
) -> None:
    gone = learning.ask(cause=Cause.COMMAND, at=NOW, is_queued=False)
    with pytest.raises(Refusal):
        learning.ask(cause=Cause.BY_HAND, at=NOW + timedelta(minutes=14))
    assert learning.ask(cause=Cause.BY_HAND, at=NOW + timedelta(minutes=16)).pk
    gone.refresh_from_db()
    assert (gone.progress, gone.error) == (Progress.FAILED, "abandoned")


def test_urgent_words_kept_in_another_process_count_here_within_seconds(world: World, ledger: SmallLedger) -> None:
    here = running.current(now=0.0)
    UrgentWord.objects.create(word="龙卷风", level=0, code="wind")
    assert "龙卷风" not in [one.word for one in running.current(now=1.0).urgent]
    assert [one.word for one in running.current(now=3.0).urgent] == ["龙卷风"]
    assert running.current(now=3.0) is here


def test_poisoned_corrections_do_not_become_champion(
    world: World, ledger: SmallLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn(at=NOW - timedelta(minutes=10))
    monkeypatch.setattr(feed, "_feeds", [SmallLedger(count=130, wrong=50)])
    run = learn()
    assert run.outcome["type"]["why"] in {"poisoned", "no_better"}
    assert Version.objects.get(kind="type", standing=Standing.CHAMPION).number == 1
    assert not (files.folder("990101") / "type-2.npz").is_file()


class _Killed(BaseException):
    """What ends a worker ends everything after it: nothing of ours catches this."""


def test_a_worker_that_dies_in_the_middle_leaves_the_champion_and_the_run_begins_again(
    world: World, ledger: SmallLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn(at=NOW - timedelta(minutes=10))
    run = learning.ask(cause=Cause.BY_HAND, at=NOW)

    def dies(_stage: str, _share: float) -> None:
        raise _Killed

    with pytest.raises(_Killed):
        learning.work(run.pk, at=NOW, tell=dies)
    assert Version.objects.get(kind="type", standing=Standing.CHAMPION).number == 1
    assert Learning.objects.get(pk=run.pk).progress == Progress.WORKING
    assert Job.objects.filter(kind=learning.LEARN).exists()
    settle = learning.work(run.pk, at=NOW)  # its lease ran out: another worker takes it
    assert settle is not None
    with writing():
        settle()
    done = Learning.objects.get(pk=run.pk)
    assert (done.progress, done.tries) == (Progress.DONE, 2)
    assert Version.objects.filter(kind="type", standing=Standing.CHAMPION).count() == 1


def test_the_first_run_is_asked_for_as_soon_as_there_is_enough(
    world: World, ledger: SmallLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert learning.ask_for_first(at=NOW) is None
    monkeypatch.setattr(feed, "_feeds", [SmallLedger(count=learning.FIRST_CASES)])
    assert learning.ask_for_first(at=NOW) is not None
    assert learning.ask_for_first(at=NOW) is None


def test_only_one_run_waits_or_works(world: World, ledger: SmallLedger) -> None:
    learning.ask(cause=Cause.BY_HAND, at=NOW)
    with pytest.raises(Refusal):
        learning.ask(cause=Cause.BY_HAND, at=NOW)
    assert Job.objects.filter(kind=learning.LEARN).count() == 1


def test_the_last_five_are_kept_and_one_click_goes_back(world: World, ledger: SmallLedger) -> None:
    made = [_version(number, world.district.code6) for number in range(1, 7)]
    learning._let_go("type")
    assert Version.objects.get(pk=made[0].pk).standing == Standing.GONE
    assert "type-1.npz" in learning.sweep_files()
    xi, lin = world.client("xi"), world.client("lin")
    assert lin.post(f"/triage/versions/{made[2].pk}/use").status_code == 403
    assert xi.post(f"/triage/versions/{made[2].pk}/use").status_code == 302
    assert Version.objects.get(standing=Standing.CHAMPION).number == 3
    assert xi.post(f"/triage/versions/{made[0].pk}/use", headers={"Accept": "application/json"}).status_code == 422
    assert learning._is_held("type", Cause.NIGHTLY, made[2].made_at + timedelta(days=1))
    assert not learning._is_held("type", Cause.BY_HAND, made[2].made_at)


def _version(number: int, district: str) -> Version:
    path = files.folder(district) / files.name_of("type", number)
    path.write_bytes(str(number).encode())
    sha256, size = files.digest(path)
    is_last = number == 6
    return Version.objects.create(
        kind="type",
        number=number,
        district_code=district,
        standing=Standing.CHAMPION if is_last else Standing.KEPT,
        name=path.name,
        sha256=sha256,
        size_bytes=size,
        examples=40,
        made_at=NOW,
        used_since=NOW if is_last else None,
    )


def test_a_pipe_that_breaks_before_its_end_teaches_nothing(tmp_path: Path) -> None:
    head = {"district": "990101", "at": NOW.isoformat(), "types": [], "champion": "", "champion_department": "", "seed": 0}
    with pytest.raises(EOFError):
        fitting.main(tmp_path, StringIO(json.dumps(head) + "\n"), StringIO())
    assert not list(tmp_path.iterdir())


def test_lessons_are_judged_before_they_are_learnt_and_fifty_corrections_ask_for_a_run(
    world: World, ledger: SmallLedger
) -> None:
    for n in range(1, 61):
        Lesson.objects.create(
            case_ref=n,
            event_ref=n,
            move="accept",
            type_code="event:0401" if n % 2 else "event:0110",  # the other one than the words say
            is_type_taught=True,
            street="990101001",
            at=NOW,
        )
    later = NOW + timedelta(minutes=1)
    settle = judging.judge(at=later)
    assert settle is not None
    settle()
    assert Lesson.objects.filter(is_correction=True, type_place__in=[0, 2, 3]).count() >= 50
    assert learning.ask_if_due(cause=Cause.CORRECTIONS, at=later) is not None
    assert learning.ask_if_due(cause=Cause.CORRECTIONS, at=later) is None


def test_a_clearly_worse_week_alarms_the_duty_desks_once(world: World, ledger: SmallLedger) -> None:
    monday = judging.monday_before(NOW)
    Week.objects.create(
        kind=Kind.TYPE, monday=monday - timedelta(days=7), taught=100, first_right=90, three_right=95, counted_at=NOW
    )
    at = datetime(monday.year, monday.month, monday.day, 12, tzinfo=NOW.tzinfo)
    for n in range(40):
        Lesson.objects.create(
            case_ref=n,
            event_ref=n,
            move="accept",
            type_code="event:0110",
            is_type_taught=True,
            street="990101001",
            at=at,
            judged_at=at,
            type_place=1 if n < 20 else 0,
            type_confidence=0.9,
        )
    settle = judging.close_week(at=NOW)
    assert settle is not None
    with writing():
        settle()
    week = Week.objects.get(kind=Kind.TYPE, monday=monday)
    assert (week.is_alarm, week.first_right, week.sure_right) == (True, 20, 20)
    assert Message.objects.filter(template="triage_drift").count() == 2
    assert judging.close_week(at=NOW) is None


def test_the_pages_show_what_is_in_use_its_card_and_a_text_tried(world: World, ledger: SmallLedger) -> None:
    learn()
    lin = world.client("lin")
    home = lin.get("/triage/").content.decode()
    assert "暴露" not in home  # no words of cases stand here
    version = Version.objects.get(kind="type")
    card = lin.get(f"/triage/versions/{version.pk}/").content.decode()
    assert "流动摊贩占道" in card
    assert version.sha256[:16] in card
    tried = lin.post("/triage/try/", {"words": "生活垃圾堆在路口"}).content.decode()
    assert "<mark" in tried
    assert lin.get("/triage/urgent/").status_code == 403
    xi = world.client("xi")
    assert xi.post("/triage/urgent/", {"words": "塌方 0 collapse\n坏 行 不 对"}).status_code == 422
    assert xi.post("/triage/urgent/", {"words": "塌方 0 collapse !塌方险", "version": 0}).status_code == 302
    assert suggest_type(Ask("路面塌方了")).urgent == ("塌方",)
    assert not suggest_type(Ask("厨房煤气泄漏")).urgent


def test_a_version_that_was_not_taken_says_what_it_was_weighed_against(world: World, ledger: SmallLedger) -> None:
    card = card_of(Version(kind="type", examples=791, card={"figures": {"champion": 0.9258, "challenger": 0.9253}}))
    assert card["figures"] == [("F1，这一版", "0.925"), ("F1，当时在用的", "0.926")]


def test_the_ledger_hands_down_confirmed_cases_and_real_dispatches_only(world: World, client: Client) -> None:
    work = Casework(world, make_condition())
    work.just_reported()
    work.accepted(words="巷口垃圾")
    done = work.dispatched(words="河边垃圾")
    undone = work.fresh(work.accepted(words="桥下垃圾"), "lin")
    event = case_services.dispatch(undone, lead_id=work.water, by=work.actor("lin"), at=NOW)
    case_services.undo(event.pk, by=work.actor("lin"), at=NOW)
    refused = work.fresh(work.reported(words="我要离婚怎么办").case, "lin")
    case_services.reject(refused, reason_code="outside_duty", by=work.actor("lin"), at=NOW)
    from jiequ.cases.queries.taught import Ledger

    rows = Ledger().cases(0, 50)
    assert [(row.words, row.type_code) for row in rows] == [
        ("巷口垃圾", "event:0110"),
        ("河边垃圾", "event:0110"),
        ("桥下垃圾", "event:0110"),
        ("我要离婚怎么办", "other"),
    ]
    late = work.fresh(work.accepted(words="塘边垃圾"), "lin")
    case_services.correct(late, title="塘边", by=work.actor("lin"), at=NOW + timedelta(days=9))
    assert learning._case(Ledger().cases(rows[-1].ref, 1)[0], set())["at"] == (NOW + timedelta(days=9)).isoformat()
    sent = [row for row in Ledger().dispatches(0, 50) if row.department]
    assert [(row.case_ref, row.department) for row in sent] == [(done.pk, "hw")]
    assert [row.ref for row in Ledger().cases(rows[0].ref, 1)] == [rows[1].ref]
