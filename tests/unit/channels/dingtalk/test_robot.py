"""The robot in the DingTalk group: signed, one message a round however much is to be said, nothing lost, no resident's word."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from emulator import scene
from emulator.testing import Strings
from jiequ.channels.dingtalk import jobs, rules, services
from jiequ.channels.dingtalk.models import Alert
from jiequ.core.kinds import DeadJob
from tests.actors import MovableClock, World
from tests.casework import Casework, make_condition

Round = Callable[[], None]


@pytest.fixture
def robot(emulator: Strings, world: World, clock: MovableClock, settings: Any) -> Round:
    """A robot is set; the fixture is one round of its job at the present moment, whose time the emulator follows."""
    settings.DINGTALK_TOKEN, settings.DINGTALK_SECRET = scene.ROBOT, scene.ROBOT_SECRET
    settings.DINGTALK_API = f"{emulator.base}/oapi"

    def round_() -> None:
        emulator.ask("POST", "/clock", at=clock.at.timestamp(), rate=1.0)
        if done := jobs.say(at=clock.at):
            done()

    return round_


def heard(emulator: Strings) -> list[str]:
    return [one["markdown"]["text"] for one in emulator.ask("GET", "/state")["robots"][scene.ROBOT]["messages"]]


def test_an_urgent_case_is_told_once_with_its_number_and_type_only(
    robot: Round, emulator: Strings, world: World, clock: MovableClock
) -> None:
    services.alert("urgent", "case:1", {"number": "LG-2026-000001", "type": {"zh-hans": "燃气泄漏", "en": "Gas"}}, at=clock.at)
    services.alert("urgent", "case:1", {"number": "LG-2026-000001"}, at=clock.at)
    robot()
    robot()
    assert heard(emulator) == ["**街区提醒**\n\n- 紧急案件 LG-2026-000001（燃气泄漏）"]


def test_a_hundred_alerts_are_a_few_messages_and_none_is_refused(robot: Round, emulator: Strings, clock: MovableClock) -> None:
    for second in range(100):
        services.alert("urgent", f"case:{second}", {"number": f"LG-2026-{second:06}"}, at=clock.at)
        if second % rules.ROUND_SECONDS == 0:
            robot()
        clock.move(seconds=1)
    robot()
    said = heard(emulator)
    assert len(said) <= 21
    assert all(f"LG-2026-{second:06}" in "".join(said) for second in range(100))
    assert not Alert.objects.filter(ended_at=None).exists()
    assert "130101" not in str(emulator.transcript(service="oapi"))


def test_what_is_too_much_for_one_message_is_counted(robot: Round, emulator: Strings, clock: MovableClock) -> None:
    for n in range(30):
        services.alert("urgent", f"case:{n}", {"number": f"LG-2026-{n:06}"}, at=clock.at)
    robot()
    (said,) = heard(emulator)
    assert said.count("紧急案件") == rules.MOST_LINES
    assert said.endswith("另有 10 条，请登录查看。")


def test_a_robot_that_was_limited_rests_ten_minutes_and_then_says_it_all(
    robot: Round, emulator: Strings, clock: MovableClock
) -> None:
    emulator.fault("errcode", "/oapi/robot/send", errcode=130101, times=1)
    services.alert("urgent", "case:1", {"number": "LG-2026-000001"}, at=clock.at)
    robot()
    services.alert("urgent", "case:2", {"number": "LG-2026-000002"}, at=clock.at)
    clock.move(minutes=9)
    robot()
    assert heard(emulator) == []
    clock.move(minutes=2)
    robot()
    (said,) = heard(emulator)
    assert "LG-2026-000001" in said and "LG-2026-000002" in said  # noqa: PT018


@pytest.mark.parametrize("fault", [("reset", {}), ("status", {"status": 502}), ("bad_json", {})])
def test_a_robot_that_does_not_answer_is_asked_again(
    robot: Round, emulator: Strings, clock: MovableClock, fault: tuple[str, dict[str, Any]]
) -> None:
    emulator.fault(fault[0], "/oapi/robot/send", times=1, **fault[1])
    services.alert("urgent", "case:1", {"number": "LG-2026-000001"}, at=clock.at)
    robot()
    assert Alert.objects.get().ended_at is None
    clock.move(minutes=2)
    robot()
    assert len(heard(emulator)) == 1


def test_a_robot_that_is_gone_for_a_day_is_given_up_and_holds_nothing_newer_up(
    robot: Round, emulator: Strings, clock: MovableClock
) -> None:
    emulator.fault("status", "/oapi/robot/send", times=2, status=502)
    services.alert("urgent", "case:1", {"number": "LG-2026-000001"}, at=clock.at)
    robot()
    clock.move(hours=24)
    services.alert("urgent", "case:2", {"number": "LG-2026-000002"}, at=clock.at)
    robot()
    old = Alert.objects.get(key="urgent:case:1")
    assert (old.error, old.ended_at) == ("http_502", clock.at)
    clock.move(minutes=2)
    robot()
    (said,) = heard(emulator)
    assert ("LG-2026-000001" in said, "LG-2026-000002" in said) == (False, True)


def test_a_wrong_secret_is_not_tried_for_ever(robot: Round, clock: MovableClock, settings: Any) -> None:
    settings.DINGTALK_SECRET = "SEC" + "0" * 60
    services.alert("urgent", "case:1", {"number": "LG-2026-000001"}, at=clock.at)
    robot()
    alert = Alert.objects.get()
    assert (alert.error, alert.ended_at) == ("errcode_310000", clock.at)


def test_a_keyword_stands_in_front(robot: Round, emulator: Strings, clock: MovableClock, settings: Any) -> None:
    emulator.ask("POST", "/robots", token=scene.ROBOT, secret=scene.ROBOT_SECRET, keywords=["值班"])
    settings.DINGTALK_KEYWORD = "值班"
    services.alert("urgent", "case:1", {"number": "LG-2026-000001"}, at=clock.at)
    robot()
    assert heard(emulator)[0].startswith("**值班 街区提醒**")


def test_a_dead_job_is_told_by_its_kind_and_never_by_what_it_was_about(
    robot: Round, emulator: Strings, clock: MovableClock
) -> None:
    services.hear_dead(DeadJob("cases.tell_reporters", "k", None, {"phone": "13800000001"}, "boom 13800000001"), at=clock.at)
    services.hear_dead(DeadJob("cases.tell_reporters", "l", None, {}, ""), at=clock.at + timedelta(minutes=1))
    clock.move(minutes=2)
    robot()
    assert heard(emulator) == ["**街区提醒**\n\n- 后台任务 cases.tell_reporters 多次失败，已放弃，请系统管理员查看。"]


def test_an_urgent_case_makes_an_alert_and_a_quiet_one_does_not(
    robot: Round, emulator: Strings, world: World, clock: MovableClock
) -> None:
    casework = Casework(world, make_condition())
    casework.accepted()
    assert not Alert.objects.exists()
    case = casework.accepted(is_urgent=True, words="鸣言：燃气味")
    robot()
    assert heard(emulator) == []  # it can still be taken back
    clock.move(minutes=1)
    robot()
    assert heard(emulator) == [f"**街区提醒**\n\n- 紧急案件 {case.number}（类型待定）"]


def test_without_a_robot_nothing_is_kept(world: World, clock: MovableClock, settings: Any) -> None:
    settings.DINGTALK_TOKEN = ""
    Casework(world, make_condition()).accepted(is_urgent=True)
    services.hear_dead(DeadJob("cases.tell_reporters", "k", None), at=clock.at)
    assert not Alert.objects.exists()
    assert jobs.say(at=clock.at) is None


def test_the_signature_is_the_one_that_was_worked_out_by_hand() -> None:
    """openssl: printf '1700000000000\\nSECtest' | openssl dgst -sha256 -hmac SECtest -binary | base64"""
    assert rules.sign("SECtest", 1_700_000_000_000) == "aZLLrriXgn05YbwaGR7knYsLeJADjr9NwLaNNKpxh4g="
