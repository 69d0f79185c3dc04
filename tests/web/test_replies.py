"""Standard replies, and the preview: what the desk is shown is what the reporter gets, word for word."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from jiequ.cases import services
from jiequ.cases.models import Case, CaseEvent, StandardReply
from jiequ.cases.policy import CANCEL_REASONS, FORCE_REASONS
from jiequ.cases.queries import replies
from jiequ.channels.models import StubSms
from jiequ.core.errors import Refusal
from jiequ.core.models import IdempotencyKey
from jiequ.core.worker import BATCH, work_once
from tests.actors import NOW, MovableClock
from tests.casework import Casework
from tests.statements import statements_of


@pytest.fixture
def lin(work: Casework, clock: MovableClock) -> Client:
    return work.world.client("lin")


def shown(client: Client, case: Case, move: str, **data: str) -> tuple[list[str], list[str]]:
    """The notices and the replies of a preview."""
    answer = client.post(f"/cases/{case.number}/preview/{move}", data)
    assert answer.status_code == 200
    body = html.unescape(answer.content.decode())
    return re.findall(r'preview-text"[^>]*><p>(.*?)</p>', body), re.findall(r"data-preview-reply>(.*?)</p>", body)


def sent(clock: MovableClock) -> list[str]:
    clock.move(minutes=5)
    for _n in range(30):
        if not work_once(at=clock.at, limit=BATCH):
            break
    return [sms.text for sms in StubSms.objects.order_by("-id")]


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize(
    ("move", "who", "brought_to", "given"),
    [
        ("close", "lin", "checked", {"reply": "垃圾已清走"}),
        ("reject", "lin", "just_reported", {"reason_code": "litigation", "reply": ""}),
        ("reject", "lin", "just_reported", {"reason_code": "emergency", "reply": "请马上打 119"}),
        ("cancel", "liang", "accepted", {"reason_code": "mistake", "text": "重复", "reply": "已经撤销"}),
        ("force_close", "he", "dispatched", {"reason_code": "impossible", "text": "产权不清", "reply": "暂时办不了"}),
    ],
)
def test_the_preview_is_what_is_sent_word_for_word(
    work: Casework, clock: MovableClock, move: str, who: str, brought_to: str, given: dict[str, str], language: str
) -> None:
    reasons: Any = {"cancel": CANCEL_REASONS, "force_close": FORCE_REASONS}.get(move)
    if reasons:
        given = given | {"reason_code": next(iter(reasons))}
    case = getattr(work, brought_to)()
    case.reports.update(language=language)
    client = work.world.client(who)
    before = set(sent(clock))
    notices, said = shown(client, case, move, **given)
    form = given | {"version": str(Case.objects.get(pk=case.pk).version)}
    assert client.post(f"/cases/{case.number}/do/{move}", form).status_code == 303
    fresh = [text for text in sent(clock) if text not in before]
    assert notices == [fresh[0]]
    assert said == [Case.objects.get(pk=case.pk).reply]


def test_a_preview_writes_nothing_and_takes_no_key(work: Casework, lin: Client) -> None:
    case = work.checked()
    events, version = CaseEvent.objects.count(), Case.objects.get(pk=case.pk).version
    asked = statements_of(lambda: shown(lin, case, "close", reply="好"))
    assert not [one for one in asked if one.startswith(("INSERT", "UPDATE", "DELETE"))]
    key = "preview-key-000001"
    page = lin.post(f"/cases/{case.number}/do/close", {"reply": "垃圾已清走", "preview": "1", "idempotency_key": key})
    assert page.status_code == 200
    assert "垃圾已清走" in page.content.decode()
    assert "已处置完毕" in page.content.decode()
    assert (CaseEvent.objects.count(), Case.objects.get(pk=case.pk).version) == (events, version)
    assert not IdempotencyKey.objects.filter(key=key).exists()
    done = lin.post(f"/cases/{case.number}/do/close", {"reply": "垃圾已清走", "version": version, "idempotency_key": key})
    assert done.status_code == 303


def test_reporters_of_two_languages_are_shown_both(work: Casework, lin: Client) -> None:
    case = work.checked()
    other = work.reported()
    other.case.reports.update(language="en")
    services.merge(work.fresh(other.case, "lin"), into=case.number, by=work.actor("lin"), at=NOW)
    notices, _said = shown(lin, case, "close", reply="好")
    assert len(notices) == 2
    assert re.search("[A-Z]", notices[1])


def test_what_is_still_missing_is_said_where_the_words_will_stand(work: Casework, lin: Client) -> None:
    case = work.just_reported()
    answer = lin.post(f"/cases/{case.number}/preview/reject", {"reason_code": ""}).content.decode()
    assert "请选择不予受理的理由" in answer
    assert lin.post(f"/cases/{case.number}/preview/note", {}).status_code == 404
    assert work.world.client("wai").post(f"/cases/{case.number}/preview/reject", {}).status_code == 404
    assert work.world.client("chen").post(f"/cases/{case.number}/preview/reject", {}).status_code == 403


# -- standard replies ------------------------------------------------------------------------------------------------


def test_every_shipped_reply_has_both_languages_and_known_places() -> None:
    assert len(replies.shipped()) >= 8
    for reply in replies.shipped():
        assert reply.title_en
        assert replies.places_in(reply.body_zh) == replies.places_in(reply.body_en) <= set(replies.PLACES)
        assert reply.move in replies.MOVES


def test_a_reply_is_offered_filled_in_and_only_where_it_fits(work: Casework, lin: Client) -> None:
    case = work.checked()
    page = html.unescape(lin.get(f"/cases/{case.number}/do/close").content.decode())
    assert f"您反映的暴露生活垃圾（{case.number}）由环卫站（所）处理完毕" in page
    assert "诉讼" not in page
    lone = work.accepted()
    offered = {one["key"] for one in replies.offered(work.fresh(lone, "lin"), "close", ["zh-hans"])}
    assert "closed-done" in offered
    assert "closed-by" not in offered  # no department yet


def test_without_scripts_a_press_brings_the_form_back_with_the_words_and_the_preview(work: Casework, lin: Client) -> None:
    case = work.checked()
    answer = lin.post(f"/cases/{case.number}/do/close", {"use": "closed-done", "reply": ""})
    page = html.unescape(answer.content.decode())
    assert answer.status_code == 200
    assert re.search(r"<textarea[^>]*>\s*您反映的暴露生活垃圾", page)
    assert "data-preview-reply>您反映的暴露生活垃圾" in page
    assert Case.objects.get(pk=case.pk).state == "checking"


def offers(client: Client, case: Case, move: str) -> list[tuple[str, str]]:
    """Language and words of each standard reply of a move's form."""
    page = html.unescape(client.get(f"/cases/{case.number}/do/{move}").content.decode())
    return re.findall(r'<span lang="([^"]+)">(.*?)</span></button>', page)


def test_replies_are_offered_in_each_reporters_language_and_in_the_pages(work: Casework, lin: Client) -> None:
    case = work.checked()
    assert {language for language, _text in offers(lin, case, "close")} == {"zh-hans"}
    case.reports.update(language="en")
    both = offers(lin, case, "close")
    assert list(dict.fromkeys(language for language, _text in both)) == ["en", "zh-hans"]  # what they read stands first
    assert all(text.startswith("The ") for language, text in both if language == "en")
    answer = lin.post(f"/cases/{case.number}/do/close", {"use": "closed-done:zh-hans", "reply": ""})
    assert re.search(r"<textarea[^>]*>\s*您反映的暴露生活垃圾", html.unescape(answer.content.decode()))
    answer = lin.post(f"/cases/{case.number}/do/close", {"use": "closed-done:en", "reply": ""})
    assert re.search(r"<textarea[^>]*>\s*The ", html.unescape(answer.content.decode()))


def test_a_note_has_sentences_of_its_own_in_the_language_of_the_page(work: Casework, lin: Client) -> None:
    case = work.dispatched()
    case.reports.update(language="en")
    found = offers(lin, case, "note")
    assert ("zh-hans", "已到现场查看，情况与上报一致。") in found
    assert ("zh-hans", "已告知环卫站（所），正在安排人员和设备。") in found
    assert {language for language, _text in found} == {"zh-hans"}
    answer = lin.post(f"/cases/{case.number}/do/note", {"use": "note-on-site:zh-hans", "text": ""})
    assert answer.status_code == 200
    assert re.search(r"<textarea[^>]*>\s*已到现场查看", answer.content.decode())
    assert not CaseEvent.objects.filter(move="note").exists()
    lin.cookies["django_language"] = "en"
    assert ("en", "Been to the place; it is as reported.") in offers(lin, case, "note")


def edit(client: Client, key: str, **change: str) -> Any:
    values = {"edition": "0", "move": "close", "title_zh": "好了", "title_en": "Done", "body_zh": "{type}好了",
              "body_en": "{type} is done", "is_active": "on"}  # fmt: skip
    return client.post(f"/desk/replies/{key}/", values | change)


def test_the_duty_leader_edits_a_reply_by_edition_and_another_street_keeps_its_own(work: Casework, clock: MovableClock) -> None:
    liang = work.world.client("liang")
    case = work.checked()
    assert edit(liang, "closed-done").status_code == 303
    assert edit(liang, "closed-done").status_code == 409  # somebody was quicker
    assert edit(liang, "closed-done", edition="1", body_zh="{type}清走了").status_code == 303
    texts = {one["key"]: one["text"] for one in replies.offered(work.fresh(case, "lin"), "close", ["zh-hans"])}
    assert texts["closed-done"] == "暴露生活垃圾清走了"
    assert [row.edition for row in replies.editions(work.world.street.pk, "closed-done")] == [2, 1]
    assert next(r for r in replies.replies_of(work.world.other_street.pk) if r.key == "closed-done").edition == 0
    page = liang.get("/desk/replies/closed-done/").content.decode()
    assert "{type}好了" in page
    assert edit(liang, "closed-done", edition="2", is_active="").status_code == 303
    assert "closed-done" not in {one["key"] for one in replies.offered(work.fresh(case, "lin"), "close", ["zh-hans"])}


@pytest.mark.parametrize(
    "change",
    [
        {"body_zh": "{name}"},
        {"body_zh": "{phone}好了"},
        {"body_en": "{number.__class__}"},
        {"body_en": "{number:>999999999}"},
        {"body_en": "{number!r}"},
        {"body_zh": "{"},
        {"body_zh": "{}"},
        {"body_en": " "},
        {"title_en": ""},
        {"move": "dispatch"},
        {"body_zh": "长" * 501},
    ],
)
def test_a_reply_that_cannot_be_filled_in_is_refused_in_the_form(work: Casework, clock: MovableClock, change: Any) -> None:
    answer = edit(work.world.client("liang"), "closed-done", **change)
    assert answer.status_code == 422
    assert "data-refusal" in answer.content.decode()
    assert StandardReply.objects.count() == 0


def test_a_reason_stays_with_its_step_and_goes_with_it(work: Casework, clock: MovableClock) -> None:
    liang, street_id = work.world.client("liang"), work.world.street.pk
    assert edit(liang, "rejected-court", move="reject", reason_code="x" * 31).status_code == 303
    assert replies.editions(street_id, "rejected-court")[0].reason_code == "litigation"
    assert edit(liang, "rejected-court", edition="1", move="cancel", reason_code="litigation").status_code == 303
    assert replies.editions(street_id, "rejected-court")[0].reason_code == ""


@pytest.mark.parametrize(("move", "reason"), [("reject", "x" * 31), ("reject", "mistake"), ("close", "litigation")])
def test_a_reason_that_is_none_of_its_step_is_refused(work: Casework, move: str, reason: str) -> None:
    court = next(one for one in replies.shipped() if one.key == "rejected-court")
    wrong = replace(court, move=move, reason_code=reason)
    with pytest.raises(Refusal) as refused:
        services.set_reply(wrong, street_id=work.world.street.pk, shown_edition=0, by=work.actor("liang"), at=NOW)
    assert refused.value.code == "bad_reason"
    assert StandardReply.objects.count() == 0


def test_the_administrator_chooses_the_street_and_others_find_no_door(work: Casework, clock: MovableClock) -> None:
    xi, other = work.world.client("xi"), work.world.other_street
    assert xi.get(f"/desk/replies/?street={other.pk}").status_code == 200
    assert xi.post(f"/desk/replies/new/?street={other.pk}", {
        "edition": "0", "move": "cancel", "title_zh": "撤", "title_en": "Withdrawn", "body_zh": "{number}撤了",
        "body_en": "{number} withdrawn", "is_active": "on"}).status_code == 303  # fmt: skip
    assert StandardReply.objects.get().street == other
    liang = work.world.client("liang")
    assert liang.get(f"/desk/replies/?street={other.pk}").status_code == 404
    assert liang.get("/desk/replies/nothing/").status_code == 404
    for name in ("lin", "he", "wu", "chen"):
        assert work.world.client(name).get("/desk/replies/").status_code == 403
