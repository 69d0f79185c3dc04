"""接单, 转办, 反馈 on a WeCom card: a tap moves the case by the page's service, once, and the card says what came of it."""

from __future__ import annotations

from datetime import datetime

import pytest

from emulator import scene
from jiequ.cases.models import Case, CaseEvent
from jiequ.cases.services import acknowledge
from jiequ.channels.models import Message
from jiequ.channels.wecom import jobs
from jiequ.channels.wecom.deeds import Offer
from jiequ.channels.wecom.models import Card
from jiequ.channels.wecom.services import taps
from jiequ.core.models import Job
from jiequ.doors.cards.deeds import CaseDeeds, actor_on_phone
from jiequ.people.models import Person
from tests.unit.channels.wecom.office import AGENT, Office, post

pytestmark = pytest.mark.django_db(databases=["default", "arrivals"])


def moves_of(case_id: int) -> list[str]:
    return list(CaseEvent.objects.filter(case_id=case_id).order_by("pk").values_list("move", flat=True))


def test_a_new_task_is_a_card_with_the_moves_that_are_open(office: Office) -> None:
    office.match("qian")
    case = office.to_water()
    card = office.card()["data"]
    assert card["main_title"]["title"] == "新任务"
    assert {row["keyname"]: row["value"] for row in card["horizontal_content_list"]}["编号"] == case.number
    assert [button["text"] for button in card["button_list"]] == ["接单", "转办", "反馈"]
    assert card["button_list"][2]["url"].endswith(f"/cases/{case.number}/")
    assert card["button_selection"]["option_list"] == [{"id": str(office.world.zhao.pk), "text": "赵云"}]
    copy = Message.objects.get(to_person=office.world.qian, copy_of__isnull=False)
    assert (copy.state, copy.port) == ("delivered", "wecom")


def test_no_word_of_the_reporter_and_no_address_is_on_a_card(office: Office) -> None:
    office.match("qian")
    office.to_water(words="鸣言在此")
    said = str(office.card()["data"]) + str(Card.objects.values())
    assert not any(word in said for word in ("鸣言", "周女士", "13912345678"))


def test_a_tap_takes_the_task_and_the_card_greys_out(office: Office) -> None:
    office.match("qian")
    case = office.to_water()
    office.press("qian", "acknowledge")
    case.refresh_from_db()
    assert case.state == "handling"
    assert moves_of(case.pk)[-1] == "acknowledge"
    assert CaseEvent.objects.filter(case=case).latest("pk").by_id == office.world.qian.pk
    assert office.card()["data"]["replaced"] == "已接单 10:00"
    assert office.row().state == "drawn"


def test_a_tap_that_comes_five_times_takes_it_once(office: Office) -> None:
    office.match("qian")
    case = office.to_water()
    (push,) = office.taps("qian", "acknowledge")
    assert office.deliver(push, push, push) == [200, 200, 200]
    office.work()
    assert office.deliver(push) == [200]
    office.work()
    assert moves_of(case.pk).count("acknowledge") == 1


def test_two_taps_before_the_card_is_grey_take_it_once(office: Office) -> None:
    office.match("qian")
    case = office.to_water()
    line = office.card()
    first = office.taps("qian", "acknowledge", line=line)
    office.emulator.advance(2)
    second = office.taps("qian", "acknowledge", line=line)
    assert office.deliver(*first, *second) == [200, 200]
    office.work()
    assert moves_of(case.pk).count("acknowledge") == 1
    assert office.card()["data"]["replaced"].startswith("已接单")


def test_passing_on_goes_to_the_colleague_that_was_chosen(office: Office) -> None:
    office.match("qian")
    case = office.to_water()
    office.press("qian", "assign", colleague=str(office.world.zhao.pk))
    case.refresh_from_db()
    assert case.handler_id == office.world.zhao.pk
    assert office.card()["data"]["replaced"].startswith("已转给赵云")


def test_passing_on_to_nobody_is_refused_on_the_card_which_can_be_tapped_again(office: Office) -> None:
    office.match("qian")
    case = office.to_water()
    office.press("qian", "assign")
    card = office.card()["data"]
    assert "请先在卡片上选择转给谁" in card["sub_title_text"]
    assert [button["text"] for button in card["button_list"]] == ["接单", "转办", "反馈"]
    office.emulator.advance(2)
    office.press("qian", "assign", colleague=str(office.world.zhao.pk))
    case.refresh_from_db()
    assert case.handler_id == office.world.zhao.pk


def test_a_colleague_of_another_department_is_refused_as_on_the_page(office: Office) -> None:
    office.match("qian")
    case = office.to_water()
    office.press("qian", "assign", colleague=str(office.world.huang.pk))
    case.refresh_from_db()
    assert case.handler_id is None
    assert "这个人不在主办部门" in office.card()["data"]["sub_title_text"]


def test_a_forwarded_card_moves_nothing(office: Office) -> None:
    """何, who may see the case, taps 钱's card: the event names him, so it is not 钱's tap."""
    office.match("qian", "he")
    case = office.to_water()
    (push,) = office.taps("qian", "acknowledge")
    fields = push.opened(scene.CORPID)
    stolen = {name: fields[name] for name in ("EventKey", "TaskId", "CardType", "ResponseCode")}
    assert office.deliver(office.event("he", "template_card_event", **stolen)) == [200]
    office.work()
    case.refresh_from_db()
    assert case.state == "dispatched"
    assert office.row().state == "open"


def test_a_member_that_was_untied_taps_in_vain(office: Office) -> None:
    office.match("qian")
    case = office.to_water()
    push = office.taps("qian", "acknowledge")
    Person.objects.filter(pk=office.world.qian.pk).update(is_active=False, disabled_at=office.clock.at)
    office.deliver(*push)
    office.work()
    case.refresh_from_db()
    assert case.state == "dispatched"


def test_a_card_whose_task_somebody_took_on_the_page_greys_out_by_itself(office: Office) -> None:
    office.match("qian")
    case = office.to_water()
    jobs.follow(at=office.clock.at)
    office.work()
    assert "replaced" not in office.card()["data"], "nothing has happened yet"
    acknowledge(office.casework.fresh(case, "zhao"), by=office.world.actor("zhao"), at=office.clock.at)
    jobs.follow(at=office.clock.at)
    office.work()
    assert office.card()["data"]["replaced"] == "案件现在是：处置中"
    assert office.row().state == "drawn"


def test_a_card_that_was_overtaken_while_it_was_drawn_greys_out_too(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """赵 takes the task between the question what may be tapped and the sending."""
    office.match("qian")
    asked = CaseDeeds.offer

    def overtaken(self: CaseDeeds, identifier: str, person: Person, *, at: datetime) -> Offer:
        offer = asked(self, identifier, person, at=at)
        monkeypatch.setattr(CaseDeeds, "offer", asked)
        case = office.casework.fresh(Case.objects.get(pk=identifier), "zhao")
        acknowledge(case, by=office.world.actor("zhao"), at=at)
        return offer

    monkeypatch.setattr(CaseDeeds, "offer", overtaken)
    office.to_water()
    assert office.card()["data"]["button_list"][0]["text"] == "接单"
    jobs.follow(at=office.clock.at)
    office.work()
    assert office.card()["data"]["replaced"] == "案件现在是：处置中"


def test_a_card_behind_many_that_stand_still_is_followed_too(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taps, "MOST_FOLLOWED", 1)
    monkeypatch.setattr(taps, "MOST_ASKED", 1)
    office.match("qian")
    first, second = office.to_water(), office.to_water()
    assert first.number != second.number
    acknowledge(office.casework.fresh(second, "zhao"), by=office.world.actor("zhao"), at=office.clock.at)
    jobs.follow(at=office.clock.at)
    assert [card.state for card in Card.objects.order_by("pk")] == ["open", "pressed"]


def test_a_card_whose_buttons_still_hold_stays_as_it_is(office: Office) -> None:
    """钱 took it on the page: passing it on is left to tap."""
    office.match("qian")
    case = office.to_water()
    acknowledge(office.casework.fresh(case, "qian"), by=office.world.actor("qian"), at=office.clock.at)
    jobs.follow(at=office.clock.at)
    office.work()
    assert "replaced" not in office.card()["data"]
    office.press("qian", "acknowledge")
    card = office.card()["data"]
    assert "没有办成" in card["sub_title_text"]
    assert [button["text"] for button in card["button_list"]] == ["转办", "反馈"]


def test_a_response_code_is_used_once_and_a_killed_drawing_is_not_drawn_twice(office: Office) -> None:
    office.match("qian")
    office.to_water()
    office.emulator.fault("reset", "/qyapi/cgi-bin/message/update_template_card", after=True)
    office.press("qian", "acknowledge")  # drawn, but the answer is lost
    assert Job.objects.filter(kind="wecom.draw").count() == 1
    office.clock.move(minutes=2)
    office.work()
    assert not Job.objects.filter(kind="wecom.draw").exists()
    assert office.row().state == "drawn"
    asked = [one for one in office.emulator.transcript(service="qyapi") if "update_template_card" in one["path"]]
    assert ["42045" in str(one["answer"]) for one in asked][-1]


def test_a_lost_answer_shows_the_card_once(office: Office) -> None:
    office.match("qian")
    office.emulator.fault("reset", "/qyapi/cgi-bin/message/send", after=True)
    office.to_water()
    office.clock.move(minutes=2)
    office.work()
    cards = [line for line in office.emulator.chat("qian", AGENT) if line["kind"] == "card"]
    assert len(cards) == 1
    assert {message.state for message in Message.objects.filter(copy_of__isnull=False)} == {"delivered"}


def test_who_is_no_member_gets_it_by_the_next_way(office: Office) -> None:
    office.match("qian")
    office.emulator.ask("POST", f"/corps/{AGENT.partition(':')[0]}/contacts/delete_user", userid="qian")
    office.to_water()
    copy = Message.objects.get(copy_of__isnull=False)
    assert ["wecom", "no_member"] in [list(step) for step in copy.trail]


def test_an_untrusted_address_of_ours_is_told_and_the_next_way_is_asked(office: Office) -> None:
    office.match("qian")
    office.emulator.fault("errcode", "/qyapi/cgi-bin/message/send", errcode=60020, times=1)
    office.to_water()
    copy = Message.objects.get(copy_of__isnull=False)
    assert ["wecom", "errcode_60020"] in [list(step) for step in copy.trail]


def test_a_tap_shows_no_second_factor_so_a_leaders_seat_moves_nothing(office: Office) -> None:
    assert office.world.actor("he").seats
    assert actor_on_phone(office.world.he, at=office.clock.at).seats == frozenset()
    assert actor_on_phone(office.world.qian, at=office.clock.at).seats == office.world.actor("qian").seats


def test_the_callback_answers_even_if_the_card_is_unknown(office: Office) -> None:
    office.match("qian")
    office.to_water()
    (push,) = office.taps("qian", "acknowledge")
    Card.objects.all().delete()
    assert post(push).status_code == 200
    office.work()
