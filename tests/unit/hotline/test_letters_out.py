"""Out: what is asked stays asked until the hotline answers; letters are tried again with one key, and a lost one is seen."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from jiequ.cases import services as cases
from jiequ.cases.models import Case
from jiequ.channels.models import Message
from jiequ.core import clock as core_clock
from jiequ.core.models import Job
from jiequ.core.worktime import ZONE
from jiequ.doors.hotline import jobs, services
from jiequ.doors.hotline.models import Letter, Source, Visit
from tests.actors import NOW, MovableClock
from tests.casework import Casework, make_picture
from tests.support.hotline import Hotline

pytestmark = pytest.mark.django_db


def carry_all(at: datetime) -> int:
    """What the worker does: letters of what was asked, then every delivery that is due, each by its real job; how many."""
    jobs.write_letters(at=at)
    due = list(Job.objects.filter(kind="hotline.deliver", run_at__lte=at).order_by("pk"))
    for job in due:
        if (done := jobs.deliver(**job.args, at=at)) is not None:
            done()
        job.delete()
    return len(due)


def outer_of(case: Case) -> str:
    due = datetime.fromisoformat(Case.objects.get(pk=case.pk).clocks["outer"]["due_at"])
    return due.astimezone(ZONE).isoformat()


def in_hand(work: Casework, there: Hotline, **changes: Any) -> Case:
    """An order that the unit works on."""
    assert there.send("orders", there.order(work.world, **changes)).status_code == 201
    case = Case.objects.get()
    cases.acknowledge(work.fresh(case, "huang"), by=work.actor("huang"), at=NOW)
    return case


def asked_to_extend(work: Casework, there: Hotline) -> Case:
    case = in_hand(work, there)
    cases.ask_extend(work.fresh(case, "wu"), share=1.0, text="要调挖机", by=work.actor("wu"), at=NOW)
    cases.extend(work.fresh(case, "liang"), by=work.actor("liang"), at=NOW)
    return case


def asked_to_close(work: Casework, there: Hotline) -> Case:
    case = in_hand(work, there)
    shown = [cases.Shown(picture=make_picture(case.street_id, "h"))]
    cases.handle(work.fresh(case, "huang"), shown=shown, text="已清运", by=work.actor("huang"), at=NOW)
    cases.confirm(work.fresh(case, "wu"), by=work.actor("wu"), at=NOW)
    cases.check_pass(work.fresh(case, "chen"), by=work.actor("chen"), at=NOW)
    cases.close(work.fresh(case, "lin"), reply="垃圾已清走", by=work.actor("lin"), at=NOW)
    return case


# -- asked until answered --------------------------------------------------------------------------------------------------


def test_an_extension_moves_the_outer_clock_only_on_the_hotlines_yes(work: Casework, there: Hotline) -> None:
    case = asked_to_extend(work, there)
    carry_all(NOW)
    (key, letter), *rest = there.letters.items()
    assert not rest
    assert (letter["kind"], letter["number"], letter["case"], "wanted_until" in letter) == ("extend", "GZ-1", case.number, True)
    assert there.calls[0].headers["Authorization"] == "Bearer their-key"
    assert outer_of(case) == "2026-03-09T10:00:00+08:00"
    without = there.send("answers", {"ask": key, "granted": "yes"})
    assert (without.status_code, without.json()["code"]) == (422, "outer_due_missing")
    answer = there.send("answers", {"ask": key, "granted": True, "due": "2026-03-12T18:00:00+08:00"})
    assert answer.status_code == 200, answer.content
    assert outer_of(case) == "2026-03-12T18:00:00+08:00"


def test_a_no_leaves_the_outer_clock_where_it_is(work: Casework, there: Hotline) -> None:
    case = asked_to_extend(work, there)
    carry_all(NOW)
    assert there.send("answers", {"number": "GZ-1", "question": "extend", "granted": "不同意"}).status_code == 200
    assert outer_of(case) == "2026-03-09T10:00:00+08:00"
    assert Letter.objects.get().answer == "no"


def test_the_answer_to_the_caller_goes_out_and_the_case_closes_on_the_yes(work: Casework, there: Hotline) -> None:
    case = asked_to_close(work, there)
    carry_all(NOW)
    (key, letter), *_rest = there.letters.items()
    assert (letter["kind"], letter["reply"]) == ("close", "垃圾已清走")
    assert Case.objects.get(pk=case.pk).state == "checking"
    for _ in range(3):
        assert there.send("answers", {"ask": key, "granted": "yes"}).status_code == 200
    assert Case.objects.get(pk=case.pk).state == "closed"
    carry_all(NOW)
    assert len(there.letters) == 1  # its end was asked for: no second letter tells of it


def test_a_return_goes_back_on_the_hotlines_yes(work: Casework, there: Hotline) -> None:
    there.send("orders", there.order(work.world, 问题类别="别的"))
    case = Case.objects.get()
    cases.reject(work.fresh(case, "lin"), reason_code="outside_duty", reply="属区交通局", by=work.actor("lin"), at=NOW)
    carry_all(NOW)
    (key, letter), *_rest = there.letters.items()
    assert (letter["kind"], letter["reason_code"], letter["reply"]) == ("return", "outside_duty", "属区交通局")
    assert Case.objects.get().state == "reported"
    assert there.send("answers", {"ask": key, "granted": "yes"}).status_code == 200
    assert Case.objects.get().state == "rejected"


def test_a_late_repeat_of_one_answer_does_not_decide_the_next_question(work: Casework, there: Hotline) -> None:
    """Reordered: the extension's answer comes again when the closing is asked."""
    case = asked_to_extend(work, there)
    carry_all(NOW)
    yes = {"number": "GZ-1", "question": "extend", "granted": "yes", "due": "2026-03-12T18:00:00+08:00"}
    there.send("answers", yes)
    shown = [cases.Shown(picture=make_picture(case.street_id, "h"))]
    cases.handle(work.fresh(case, "huang"), shown=shown, text="已清运", by=work.actor("huang"), at=NOW)
    cases.confirm(work.fresh(case, "wu"), by=work.actor("wu"), at=NOW)
    cases.check_pass(work.fresh(case, "chen"), by=work.actor("chen"), at=NOW)
    cases.close(work.fresh(case, "lin"), reply="清走了", by=work.actor("lin"), at=NOW)
    carry_all(NOW)
    assert there.send("answers", yes).status_code == 200
    other = there.send("answers", yes | {"due": "2026-03-20T18:00:00+08:00"})
    assert (other.status_code, other.json()["code"]) == (409, "answered_otherwise")
    assert Case.objects.get(pk=case.pk).state == "checking"
    assert outer_of(case) == "2026-03-12T18:00:00+08:00"


def test_what_the_desk_registered_by_hand_is_neither_sent_nor_answered_again(work: Casework, there: Hotline) -> None:
    case = asked_to_extend(work, there)
    jobs.write_letters(at=NOW)
    due = NOW + timedelta(days=9)
    cases.answer_hotline(work.fresh(case, "lin"), granted=True, by=work.actor("lin"), at=NOW, outer_due_at=due)
    carry_all(NOW)
    assert there.calls == []
    letter = Letter.objects.get()
    assert letter.state == "withdrawn"
    late = there.send("answers", {"ask": letter.key, "granted": "no"})
    assert (late.status_code, late.json()["code"]) == (422, "not_open")


def test_a_case_that_ends_unasked_is_told_once(work: Casework, there: Hotline) -> None:
    case = in_hand(work, there)
    cases.force_close(
        work.fresh(case, "he"),
        reason_code="leader_decision",
        text="按会议决定",
        reply="已按会议决定办结",
        by=work.actor("he"),
        at=NOW,
    )
    carry_all(NOW)
    carry_all(NOW)
    (letter,) = there.letters.values()
    assert (letter["kind"], letter["closing"], letter["reply"]) == ("ended", "forced", "已按会议决定办结")


# -- faults ----------------------------------------------------------------------------------------------------------------


def test_a_hotline_that_is_down_is_tried_again_and_gets_the_letter_once(
    work: Casework, there: Hotline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """500, silence, a line that breaks with the letter taken: the same bytes and key, kept once."""
    monkeypatch.setattr("jiequ.core.outgoing.SECONDS", 0.2)
    there.faults += [500, "hang", "taken"]
    asked_to_extend(work, there)
    at, waits = NOW, [timedelta(0), timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30)]
    for wait in waits:
        at += wait
        assert not wait or carry_all(at - timedelta(seconds=1)) == 0
        assert carry_all(at) == 1
    letter = Letter.objects.get()
    assert (letter.state, letter.tries, letter.error) == ("delivered", 4, "")
    assert [call.key for call in there.calls] == [letter.key] * 2
    assert len({str(call.body) for call in there.calls}) == 1


def lost(work: Casework, there: Hotline) -> Letter:
    there.faults += [500] * 6
    asked_to_extend(work, there)
    at = NOW
    for wait in (0, 1, 5, 30, 120, 720):
        at += timedelta(minutes=wait)
        assert carry_all(at) == 1
    return Letter.objects.get()


def test_after_six_tries_the_desk_sees_that_it_was_not_delivered_and_sends_it_again(
    work: Casework, there: Hotline, clock: MovableClock
) -> None:
    letter = lost(work, there)
    assert (letter.state, letter.tries, letter.status) == ("not_delivered", 6, 500)
    assert Message.objects.filter(template="hotline_not_delivered", to_role="duty_leader").count() == 1
    lin = work.world.client("lin")
    assert "没有接受" in lin.get("/hotline/").content.decode()
    assert work.world.client("wai").post(f"/hotline/letters/{letter.pk}/resend").status_code == 404
    assert lin.post(f"/hotline/letters/{letter.pk}/resend").status_code == 302
    carry_all(core_clock.now())
    letter.refresh_from_db()
    assert (letter.state, list(there.letters)) == ("delivered", [letter.key])


def test_a_pause_holds_letters_back_until_it_ends(work: Casework, there: Hotline) -> None:
    source, by = Source.objects.select_related("system__street").get(), work.actor("xi")
    asked_to_extend(work, there)
    services.pause(source, by=by, at=NOW)
    carry_all(NOW)
    assert there.calls == []
    services.resume(source, by=by, at=NOW)
    carry_all(NOW)
    assert len(there.letters) == 1


def test_letters_go_as_whole_files_where_that_is_the_way(work: Casework, there: Hotline, settings: Any) -> None:
    Source.objects.update(way_out="files")
    asked_to_extend(work, there)
    carry_all(NOW)
    letter = Letter.objects.get()
    out = Path(settings.HOTLINE_FOLDER) / "gz" / "out"
    assert [file.name for file in out.iterdir()] == [f"{letter.key}.json"]
    assert '"kind":"extend"' in (out / f"{letter.key}.json").read_text(encoding="utf-8")
    assert letter.state == "delivered"


def test_a_way_that_was_taken_away_carries_nothing_and_the_desk_is_told(work: Casework, there: Hotline) -> None:
    asked_to_extend(work, there)
    there.faults.append(500)
    carry_all(NOW)
    Source.objects.update(way_out="none")
    carry_all(NOW + timedelta(minutes=2))
    assert there.calls == []
    letter = Letter.objects.get()
    assert (letter.state, letter.error) == ("not_delivered", "no_way_out")
    assert "改为不回传" in work.world.client("lin").get("/hotline/").content.decode()


# -- call-backs ------------------------------------------------------------------------------------------------------------


def test_a_call_back_is_kept_once_and_the_unit_hears_of_it(work: Casework, there: Hotline) -> None:
    case = in_hand(work, there)
    said = {"visit": "V-1", "number": "GZ-1", "contacted": "是", "solved": "未解决", "satisfaction": "不满意", "text": "还在"}
    for _ in range(2):
        assert there.send("visits", said).status_code == 201
    other = there.send("visits", said | {"solved": "已解决"})
    assert (other.status_code, other.json()["code"]) == (409, "visit_taken")
    visit = Visit.objects.get()
    assert (visit.contacted, visit.solved, visit.satisfaction) == (True, False, 2)
    told = Message.objects.filter(template="hotline_unsolved").values_list("to_role", "to_department_id", "facts")
    assert sorted(told, key=str) == [
        ("department_lead", work.sanitation, {"number": case.number}),
        ("duty_leader", None, {"number": case.number}),
    ]
    for name in ("lin", "wu"):
        part = work.world.client(name).get(f"/hotline/cases/{case.number}/").content.decode()
        assert "未解决" in part
        assert "还在" in part
    assert work.world.client("zhao").get(f"/hotline/cases/{case.number}/").status_code == 404
    assert f"/hotline/cases/{case.number}/" in work.world.client("wu").get(f"/cases/{case.number}/").content.decode()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"number": "GZ-9"}, "no_such_order"),
        ({"solved": "也许"}, "bad_word"),
        ({"satisfaction": "9"}, "bad_score"),
        ({"visit": ""}, "visit_missing"),
        ({"solved": "", "satisfaction": ""}, "nothing_said"),
        ({"at": "2026-03-05T10:00:00+08:00"}, "visit_later"),
    ],
)
def test_a_call_back_that_says_nothing_usable_is_refused(
    work: Casework, there: Hotline, changes: dict[str, str], code: str
) -> None:
    in_hand(work, there)
    said = {"visit": "V-1", "number": "GZ-1", "solved": "已解决", "satisfaction": "5"} | changes
    answer = there.send("visits", said)
    assert (answer.json()["code"], Visit.objects.count()) == (code, 0)
