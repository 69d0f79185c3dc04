"""The conversation on the database: what is kept, what becomes a case, what goes."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client

from jiequ.cases.models import Case, Proof, Report
from jiequ.core.models import AuditEntry, Picture
from jiequ.doors.chat import reading
from jiequ.doors.chat.flow import Kind, Spot, Thing
from jiequ.doors.chat.jobs import retention, sweep
from jiequ.doors.chat.models import Draft, Piece, Talk, Voice
from jiequ.grid import queries as grid
from jiequ.grid.models import MapVersion, Place
from tests.actors import NOW
from tests.casework import make_place
from tests.unit.chat.conftest import OTHER, ZHOU, Chat

pytestmark = pytest.mark.django_db


def reported(chat: Chat) -> Case:
    """A photo, a place, a word and a yes."""
    chat.photo()
    chat.place()
    chat.says("河道被垃圾堵住了，有臭味")
    chat.work()
    chat.says("确认")
    return Case.objects.get()


def test_a_photo_a_place_and_a_yes_make_a_case_with_number_and_private_link(chat: Chat) -> None:
    assert "在哪里" in chat.photo()
    assert "请确认上报" in chat.place()
    chat.work()
    answer = chat.says("确认")
    case = Case.objects.get()
    assert case.number in answer
    assert re.search(r'href="http[^"]+/r/[\w-]{40,}/"', answer)
    assert (case.street_id, case.unit_grid_id) == (chat.world.street.pk, chat.world.grid_a.pk)
    assert (case.source, case.raw_system, case.address) == ("resident", "cgcs2000", "鹭溪河桥")
    assert Proof.objects.filter(case=case, picture__isnull=False).count() == 1
    assert chat.draft().state == "done"
    assert not Piece.objects.exists()


def test_a_yes_before_the_photo_is_here_waits_for_it_and_then_tells_the_number(chat: Chat) -> None:
    chat.photo()
    chat.place()
    assert "照片一到就提交" in chat.says("确认")
    assert not Case.objects.exists()
    told = chat.work()
    case = Case.objects.get()
    assert case.number in told
    assert Proof.objects.filter(case=case).count() == 1


def test_the_words_come_in_the_order_they_were_sent_and_a_voice_says_what_was_understood(chat: Chat) -> None:
    chat.voice("桥下漂着很多垃圾", at=NOW + timedelta(seconds=10))
    chat.says("今天早上看见的", at=NOW)
    chat.place()
    chat.work(at=NOW + timedelta(minutes=1))
    chat.says("ok")
    report = Report.objects.get()
    assert report.words == "今天早上看见的\n桥下漂着很多垃圾"
    voice = Voice.objects.get()
    assert voice.report_id == report.pk
    assert "AMR" not in voice.sound_sealed


@pytest.mark.parametrize("gone", [None, b"GIF89a not a photo"], ids=["WeChat has it no more", "no photo"])
def test_a_photo_that_cannot_be_had_is_told_and_the_report_goes_without_it(chat: Chat, gone: bytes | None) -> None:
    chat.photo(data=gone if gone is not None else b"")
    if gone is None:
        chat.shelf = dict.fromkeys(chat.shelf)
    chat.says("河道被垃圾堵住了")
    chat.place()
    assert "照片" in chat.work()
    assert Case.objects.count() == 0
    answer = chat.says("确认")
    assert Case.objects.get().number in answer
    assert not Picture.objects.exists()


def test_a_report_whose_only_photo_is_none_is_not_made_and_can_be_mended(chat: Chat) -> None:
    chat.photo(data=b"GIF89a")
    chat.place()
    chat.says("确认")
    told = chat.work()
    assert "GIF" in told
    assert not Case.objects.exists()
    assert "请确认上报" in chat.says("继续") + chat.says("河道被垃圾堵住了")
    assert Case.objects.count() == 0
    assert Draft.objects.exclude(state="done").count() == 1


def test_a_report_waits_ten_minutes_for_its_photo_and_then_goes_without(chat: Chat) -> None:
    chat.photo(data=ConnectionError("no network"))
    chat.says("河道被垃圾堵住了")
    chat.place()
    chat.says("确认")
    chat.work()
    assert not Case.objects.exists()
    sweep(at=NOW + timedelta(minutes=9))
    assert not Case.objects.exists()
    sweep(at=NOW + timedelta(minutes=11))
    case = Case.objects.get()
    assert case.number in chat.said[-1]["text"]
    assert "没有收到" in chat.said[-1]["text"]


def test_a_repeat_of_any_message_changes_and_says_nothing(chat: Chat) -> None:
    chat.place()
    words = Thing(Kind.WORDS, "same", NOW, words="河道被垃圾堵住了")
    assert chat.does(words)
    assert chat.does(words) == ""
    assert chat.draft().pieces.count() == 2
    yes = Thing(Kind.WORDS, "yes", NOW, words="确认")
    assert Case.objects.count() == 0
    chat.does(yes)
    assert chat.does(yes) == ""
    assert "这一件已经上报" in chat.says("确认")
    assert Case.objects.count() == 1


def test_cancelling_deletes_what_was_sent(chat: Chat) -> None:
    chat.photo()
    chat.voice("桥下漂着很多垃圾")
    chat.work()
    assert Picture.objects.count() == Voice.objects.count() == 1
    assert "已经删除" in chat.says("取消")
    assert not Draft.objects.exists()
    assert not Picture.objects.exists()
    assert not Voice.objects.exists()


def test_a_draft_lapses_with_one_reminder_is_taken_up_again_or_is_gone_after_two_days(chat: Chat) -> None:
    chat.photo()
    chat.work()
    for minutes in (29, 31, 32, 60):
        sweep(at=NOW + timedelta(minutes=minutes))
    assert [one["text"] for one in chat.said].count(chat.said[-1]["text"]) == 1
    assert "还没有提交" in chat.said[-1]["text"]
    assert chat.draft().state == "lapsed"
    later = NOW + timedelta(hours=1)
    assert "在哪里" in chat.says("继续", at=later)
    assert chat.draft().state == "open"
    sweep(at=later + timedelta(hours=49))
    assert not Draft.objects.exists()
    assert not Picture.objects.exists()


def test_a_report_whose_only_photo_is_none_goes_on_with_the_next_photo(chat: Chat) -> None:
    chat.photo(data=b"GIF89a")
    chat.place()
    chat.says("确认")
    chat.work()
    assert "请确认上报" in chat.photo()
    chat.work()
    assert Case.objects.count() == 0
    chat.says("确认")
    assert Proof.objects.filter(case=Case.objects.get(), picture__isnull=False).count() == 1


def test_a_hundred_who_only_scanned_a_plate_keep_nobody_from_being_reminded(chat: Chat) -> None:
    lon, lat = chat.world.point_in("a")
    for who in range(100, 200):
        chat.does(Thing(Kind.SCAN, f"scan{who}", NOW, spot=Spot("鹭溪河桥", lon, lat, "cgcs2000")), who)
    chat.photo(at=NOW + timedelta(minutes=1))
    before = len(chat.said)
    sweep(at=NOW + timedelta(minutes=40))
    assert [one["follower_id"] for one in chat.said[before:]] == [ZHOU]
    assert not Draft.objects.filter(state="open").exists()


def test_nobody_is_reminded_at_night(chat: Chat) -> None:
    night = NOW.replace(hour=14)  # 22:00 in Shanghai
    chat.photo(at=night)
    before = len(chat.said)
    sweep(at=night + timedelta(hours=1))
    assert len(chat.said) == before
    sweep(at=night + timedelta(hours=10, minutes=5))
    assert len(chat.said) == before + 1


def test_a_place_outside_the_district_is_refused_kindly(chat: Chat) -> None:
    chat.photo()
    spot = reading.sent(116.4, 39.9, "某处")
    answer = chat.does(Thing(Kind.PLACE, "far", NOW, spot=spot))
    assert "不在本区" in answer
    assert chat.draft().pieces.count() == 1


# -- places in the words: the same look-up as on the report page -----------------------------------------------------------


def test_one_estate_in_the_words_is_taken_for_the_place_and_stands_in_the_summary_to_be_confirmed(chat: Chat) -> None:
    estate = make_place(chat.world, "听橹花园", aliases=("老船厂宿舍",))
    told = chat.says("老船厂宿舍门口垃圾没人收")
    assert "地点：听橹花园" in told
    assert "按您的话认出" in told
    chat.says("确认")
    assert Case.objects.get().lon == estate.lon


def test_a_road_or_two_places_are_offered_and_a_tap_takes_one(chat: Chat) -> None:
    """The twin that takes the longest name would have sent somebody to the estate."""
    make_place(chat.world, "听橹花园小区", grid="a")
    road = make_place(chat.world, "荔香路", grid="b", kind="road")
    make_place(chat.world, "望鹭苑", grid="a")
    chat.says("荔香路上有个大坑")
    assert [value.split(":")[:2] for value, _label in chat.said[-1]["choices"]] == [["place", f"p{road.pk}"]]
    told = chat.says("从听橹花园小区到望鹭苑那一段")
    assert "下面哪一处" in told
    assert len(chat.said[-1]["choices"]) == 3
    assert not Case.objects.exists()
    assert "地点：荔香路" in chat.taps("荔香路")
    chat.says("确认")
    case = Case.objects.get()
    assert (case.lon, case.address, case.unit_grid_id) == (road.lon, "荔香路", chat.world.grid_b.pk)


def test_a_point_that_lies_far_from_the_place_written_is_asked_about_and_near_it_is_not(chat: Chat) -> None:
    estate = make_place(chat.world, "听橹花园", grid="a")
    chat.place()
    assert "比较远" not in chat.says("听橹花园门口垃圾没人收")
    assert [value.split(":")[0] for value, _label in chat.said[-1]["choices"]] == ["confirm", "cancel"]
    chat.says("取消")
    Place.objects.update(lat=estate.lat + 0.01)
    MapVersion.objects.update(token="moved")
    grid.forget()
    chat.place()
    assert "比较远" in chat.says("听橹花园门口垃圾没人收")
    assert "相距 1.1 公里" in chat.said[-1]["choices"][0][1]
    chat.taps("听橹花园")
    chat.says("确认")
    assert Case.objects.get().lat == estate.lat + 0.01


def test_a_place_tapped_after_the_report_was_sent_changes_nothing(chat: Chat) -> None:
    make_place(chat.world, "荔香路", kind="road")
    chat.says("荔香路上有个大坑")
    offer = chat.said[-1]["choices"][0]
    chat.place()
    chat.says("确认")
    chat.said[-1]["choices"] = [offer]
    assert Case.objects.get().number in chat.taps("荔香路")
    assert (Case.objects.count(), Draft.objects.count()) == (1, 1)


@pytest.mark.parametrize("value", ["p999999", "p²", "p", "x1", "", "u440", "w某处", "p" + "9" * 30])
def test_an_offer_that_nobody_made_is_read_as_mere_words(chat: Chat, value: str) -> None:
    fields = {"Content": "荔香路上有个大坑", "bizmsgmenuid": f"place:{value}:abc"}
    assert reading._text(Thing(Kind.OTHER, "m", NOW), fields).kind == Kind.WORDS


def test_progress_is_told_to_whose_report_it_is_and_nobody_else_learns_that_it_exists(chat: Chat) -> None:
    case = reported(chat)
    assert case.number in chat.says("进度")
    assert "您上报了这个问题" in chat.says(f"进度 {case.number}")
    assert "您上报了这个问题" in chat.says(case.number.lower())
    assert "您上报了这个问题" in chat.says(f"进度{int(case.number[-6:])}")
    foreign, unknown = chat.says(case.number, who=OTHER), chat.says("LG-2026-009999", who=OTHER)
    assert foreign == unknown
    assert case.number in chat.says("我的上报")
    assert case.number not in chat.says("我的上报", who=OTHER)


def test_who_writes_english_is_answered_in_english(chat: Chat) -> None:
    assert "Where" in chat.says("The river is blocked by litter")
    assert "Please confirm" in chat.place()
    assert "number" in chat.says("ok")
    assert Report.objects.get().language == "en"


def test_the_privacy_notice_stands_before_the_first_report_only(chat: Chat) -> None:
    first = chat.photo()
    assert first.index("首次上报请知悉") < first.index("在哪里")
    assert "365 天" in first
    assert "首次" not in chat.place()
    chat.work()
    chat.says("确认")
    assert "首次" not in chat.photo()


def test_whoever_unfollows_leaves_no_draft_and_is_told_nothing(chat: Chat) -> None:
    chat.photo()
    chat.work()
    assert chat.does(Thing(Kind.LEAVE, "bye", NOW)) == ""
    assert not Draft.objects.exists()
    assert not Talk.objects.exists()
    assert not Picture.objects.exists()


def test_past_twenty_reports_a_day_an_account_is_taken_and_looked_at_first(chat: Chat) -> None:
    for number in range(21):
        at = NOW + timedelta(minutes=15 * number)
        chat.place("ab"[number % 2], at=at)
        chat.says(f"第{number}处垃圾没有人清", at=at)
        last = chat.says("确认", at=at)
    assert Case.objects.filter(is_suspect=True).count() == 1
    assert "先由工作人员看过" in last
    assert Report.objects.exclude(device_blind="").count() == 21


def test_sixty_messages_in_ten_minutes_are_enough(chat: Chat) -> None:
    answers = [chat.says("在吗") for _ in range(70)]
    assert all(answers[:60])
    assert "没有收下" in answers[60]
    assert not any(answers[61:])


def test_too_many_messages_in_english_are_refused_in_english(chat: Chat) -> None:
    answers = [chat.says("help me please") for _ in range(61)]
    assert "ten minutes" in answers[60]


def test_the_desk_of_the_street_hears_a_recording_and_nobody_else_does(chat: Chat) -> None:
    chat.voice("桥下漂着很多垃圾")
    chat.place()
    chat.work()
    chat.says("确认")
    world, voice, number = chat.world, Voice.objects.get(), Case.objects.get().number
    url = f"/chat/voices/{voice.pk}"
    page = world.client("lin").get(f"/cases/{number}/").content.decode()
    assert url in page
    heard = world.client("lin").get(url)
    assert heard.content.startswith(b"#!AMR")
    assert heard["Content-Disposition"].startswith("attachment")
    assert AuditEntry.objects.filter(action="chat.hear").count() == 1
    hidden, missing = (world.client("wai").get(one) for one in (url, "/chat/voices/999999"))
    assert (hidden.status_code, hidden.content) == (missing.status_code, missing.content)
    assert hidden.status_code == 404
    assert world.client("chen").get(url).status_code == 403
    assert Client().get(url).status_code == 302


def test_a_recording_goes_with_the_words_of_its_report(chat: Chat) -> None:
    chat.voice("桥下漂着很多垃圾")
    chat.place()
    chat.work()
    chat.says("确认")
    retention(at=NOW + timedelta(days=6))
    assert Voice.objects.exists()
    Report.objects.update(words="", place_words="", device_blind="")  # what the nightly job does
    retention(at=NOW + timedelta(days=400))
    assert not Voice.objects.exists()
    assert not Draft.objects.exists()
