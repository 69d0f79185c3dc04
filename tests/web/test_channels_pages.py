"""The pages of messages: one's own inbox, calls to make, notices that reached nobody, the stub's texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from jiequ.channels import ports, services
from jiequ.channels.models import CallBack, InboxItem, Message
from jiequ.channels.ports import Outcome, Result
from jiequ.channels.services import Notice, seal_account, seal_phone
from jiequ.core.jobs import work_once
from jiequ.core.models import AuditEntry
from tests.actors import NOW, MovableClock, World
from tests.casework import Casework
from tests.statements import statements_of
from tests.unit.channels.letterbox import ScriptedWay

FACTS = {"number": "LG-2026-000123", "type": "河道堵塞", "grid": "990101001001001"}
PHONE = "13911112222"
REAL_LINKS = dict(services._links)
pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture(autouse=True)
def links(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a case's owner would register: 林 and 黄 may open number 7."""

    def links(identifiers: Sequence[str], actor: Any) -> dict[str, str]:
        return {i: f"/about?case={i}" for i in identifiers} if actor.name in {"林晓", "黄海"} else {}

    monkeypatch.setattr(services, "_links", {"case": links})
    monkeypatch.setattr(services, "_hooks", [])


@pytest.fixture
def send(world: World) -> Callable[..., None]:
    """Send one notice and let the worker do its work."""

    def send(key: str = "k", *, at: Any = NOW, **to: Any) -> None:
        template = "new_task" if {"to_person", "to_post"} & to.keys() else "reporter_accepted"
        services.send([Notice(template, FACTS, "case:7", key, street_id=world.street.pk, **to)], at=at)
        while work_once(at=at, limit=50):
            pass

    return send


@pytest.fixture
def call_back(world: World, send: Callable[..., None], settings: Any) -> CallBack:
    """A resident who has to be called."""
    settings.SMS_PORTS = []
    send(to_phone_sealed=seal_phone(PHONE))
    return CallBack.objects.get()


def key_of(page: str, action: str) -> str:
    """The idempotency key of the form with that action."""
    form = re.search(rf'<form[^>]*action="{re.escape(action)}".*?</form>', page, re.DOTALL)
    assert form, f"no form posts to {action}"
    found = re.search(r'name="idempotency_key" value="([^"]+)"', form[0])
    assert found
    return found[1]


class TestInbox:
    def test_a_message_opens_its_case_in_one_tap_and_is_read(self, world: World, send: Callable[..., None]) -> None:
        send(to_person=world.huang.pk)
        huang = world.client("huang")
        page = huang.get("/inbox/")
        assert page.status_code == 200
        text = page.content.decode()
        assert "新任务" in text
        assert "LG-2026-000123（河道堵塞）" in text
        assert "未读" in text
        item = InboxItem.objects.get()
        opened = huang.post(f"/inbox/{item.pk}/open")
        assert (opened.status_code, opened["Location"]) == (302, "/about?case=7")
        item.refresh_from_db()
        assert item.read_at == NOW
        assert "未读" not in huang.get("/inbox/").content.decode()

    def test_it_reads_in_the_readers_language(self, world: World, send: Callable[..., None]) -> None:
        send(to_person=world.huang.pk)
        huang = world.client("huang")
        huang.cookies["django_language"] = "en"
        text = huang.get("/inbox/").content.decode()
        assert "New task" in text
        assert "Grid 990101001001001." in text

    def test_nobody_opens_or_reads_anothers_message(self, world: World, send: Callable[..., None]) -> None:
        send(to_person=world.huang.pk)
        item = InboxItem.objects.get()
        for name in ("lin", "he", "liang", "xi", "wai"):
            assert world.client(name).post(f"/inbox/{item.pk}/open").status_code == 404
            assert "LG-2026-000123" not in world.client(name).get("/inbox/").content.decode()
        item.refresh_from_db()
        assert item.read_at is None

    def test_no_page_of_a_superior_tells_who_read_what(self, world: World, send: Callable[..., None]) -> None:
        """DOMAIN §5 rule 5: the bytes a leader, a lead and the desk get are the same before and after."""
        send(to_person=world.huang.pk)
        watchers = {name: world.client(name) for name in ("he", "wu", "lin", "liang", "du", "xi")}

        def seen() -> dict[str, list[bytes]]:
            pages = ["/inbox/", "/call-backs/", "/undelivered/"]
            return {name: [_stable(client.get(page).content) for page in pages] for name, client in watchers.items()}

        before = seen()
        lines = [vars_of(line) for line in _about("case:7")]
        assert services.mark_read(item_id=InboxItem.objects.get().pk, by=world.actor("huang"), at=NOW).pk
        assert seen() == before
        assert [vars_of(line) for line in _about("case:7")] == lines

    def test_all_can_be_marked_as_read_at_once_ones_own_only(self, world: World, send: Callable[..., None]) -> None:
        send("a", to_person=world.huang.pk)
        send("b", to_person=world.wu.pk)
        assert world.client("huang").post("/inbox/read").status_code == 302
        assert set(InboxItem.objects.filter(read_at=None).values_list("person_id", flat=True)) == {world.wu.pk}

    def test_a_message_without_a_case_for_the_reader_leads_back(self, world: World, send: Callable[..., None]) -> None:
        send(to_person=world.chen.pk)
        opened = world.client("chen").post(f"/inbox/{InboxItem.objects.get().pk}/open")
        assert (opened.status_code, opened["Location"]) == (302, "/inbox/")

    def test_a_hundred_messages_come_page_by_page_in_six_statements(self, world: World) -> None:
        notices = [Notice("new_task", FACTS, "case:7", f"k{n}", to_person=world.huang.pk) for n in range(70)]
        services.send(notices, at=NOW)
        while work_once(at=NOW, limit=100):
            pass
        huang = world.client("huang")
        address, seen, pages = "/inbox/", 0, 0
        while address:
            with CaptureQueriesContext(connection) as queries:
                page = huang.get(address).content.decode()
            assert len([q for q in queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))]) <= 6
            seen += page.count("/open")
            pages += 1
            older = re.search(r'href="(\?before=\d+)"', page)
            address = f"/inbox/{older[1]}" if older else ""
        assert (seen, pages) == (70, 3)

    @pytest.mark.parametrize("before", ["x", "-1", "9" * 30, "١", "1;drop"])
    def test_a_spoilt_page_number_is_the_first_page(self, before: str, world: World, send: Callable[..., None]) -> None:
        send(to_person=world.huang.pk)
        page = world.client("huang").get("/inbox/", {"before": before})
        assert page.status_code == 200
        assert "新任务" in page.content.decode()

    def test_strangers_are_led_to_the_sign_in(self) -> None:
        for address in ("/inbox/", "/call-backs/", "/undelivered/"):
            assert Client().get(address).status_code == 302


class TestCallBacks:
    def test_the_desk_reads_the_sentence_calls_and_writes_it_down(self, world: World, call_back: CallBack) -> None:
        lin = world.client("lin")
        page = lin.get("/call-backs/").content.decode()
        assert "您反映的“河道堵塞”（LG-2026-000123）已受理" in page
        assert PHONE not in page
        shown = lin.post(f"/call-backs/{call_back.pk}/phone")
        assert f"tel:{PHONE}" in shown.content.decode()
        assert "no-store" in shown["Cache-Control"]
        assert AuditEntry.objects.filter(action="phone_revealed", person_id=world.lin.pk).count() == 1
        action = f"/call-backs/{call_back.pk}/finish"
        form = {"reached": "yes", "outcome": "已知道", "idempotency_key": key_of(page, action)}
        assert lin.post(action, form).status_code == 302
        again = lin.post(action, form)
        assert (again.status_code, again["Idempotency-Replayed"]) == (302, "true")
        call_back.refresh_from_db()
        assert (call_back.state, call_back.outcome) == ("done", "已知道")
        assert "没有要打的电话" in lin.get("/call-backs/").content.decode()

    def test_somebody_elses_second_word_is_refused(self, world: World, call_back: CallBack) -> None:
        action = f"/call-backs/{call_back.pk}/finish"
        assert world.client("lin").post(action, {"reached": "yes"}).status_code == 302
        late = world.client("liang").post(action, {"reached": "no"})
        assert late.status_code == 409
        assert "已经有人办过了" in late.content.decode()
        assert Message.objects.get(key="k").state == "delivered"

    def test_a_call_without_a_result_is_refused_in_words(self, world: World, call_back: CallBack) -> None:
        answer = world.client("lin").post(f"/call-backs/{call_back.pk}/finish", {"outcome": "?"})
        assert answer.status_code == 422
        assert "请选择“已告知”或“打不通”" in answer.content.decode()
        call_back.refresh_from_db()
        assert call_back.state == "open"

    @pytest.mark.parametrize("name", ["wai", "huang", "chen", "xi", "shen", "zhou"])
    def test_nobody_else_sees_or_acts(self, name: str, world: World, call_back: CallBack) -> None:
        client = world.client(name)
        page = client.get("/call-backs/")
        assert "河道堵塞" not in page.content.decode()
        for act in ("phone", "finish"):
            answer = client.post(f"/call-backs/{call_back.pk}/{act}", {"reached": "yes"})
            assert answer.status_code in {302, 403, 404}
            assert PHONE not in answer.content.decode()
        call_back.refresh_from_db()
        assert call_back.state == "open"
        assert not AuditEntry.objects.filter(action="phone_revealed").exists()

    def test_missing_and_another_streets_are_told_alike(self, world: World, call_back: CallBack) -> None:
        wai = world.client("wai")
        theirs = wai.post(f"/call-backs/{call_back.pk}/phone")
        none = wai.post("/call-backs/999999/phone")
        assert theirs.status_code == none.status_code == 404
        assert theirs.content == none.content


class TestUndelivered:
    def test_the_desk_sees_why_and_sends_again(self, world: World, send: Callable[..., None]) -> None:
        send(to_phone_sealed=seal_phone("12345"))
        lin = world.client("lin")
        page = lin.get("/undelivered/").content.decode()
        assert "号码不是有效的手机号" in page
        assert "LG-2026-000123" in page
        assert "12345" not in page.replace("LG-2026-000123", "")
        message = Message.objects.get(key="k")
        action = f"/undelivered/{message.pk}/retry"
        form = {"idempotency_key": key_of(page, action)}
        assert [lin.post(action, form).status_code for _ in range(3)] == [302, 302, 302]
        message.refresh_from_db()
        assert (message.state, message.round) == ("waiting", 1)
        assert lin.post(action).status_code == 409

    def test_the_desk_sees_by_which_ways_it_was_tried_and_why_each_said_no(
        self, world: World, send: Callable[..., None], settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.WAYS, settings.SMS_PORTS = ["wechat_template", "wechat_service"], []
        for name, error in (("wechat_template", "errcode_43004"), ("wechat_service", "45015")):
            way = ScriptedWay(name, Outcome(Result.REFUSED_PERMANENT, error=error))
            monkeypatch.setitem(ports._WAYS, name, lambda way=way: way)
        send(to_account_sealed=seal_account("chat:17"))
        page = world.client("lin").get("/undelivered/").content.decode()
        assert "公众号模板消息：对方没有关注公众号" in page
        assert "公众号客服消息：对方近期没有和公众号说过话，不能发客服消息" in page

    def test_another_streets_desk_does_not_see_it(self, world: World, send: Callable[..., None]) -> None:
        send(to_phone_sealed=seal_phone("12345"))
        wai = world.client("wai")
        assert "LG-2026-000123" not in wai.get("/undelivered/").content.decode()
        assert wai.post(f"/undelivered/{Message.objects.get(key='k').pk}/retry").status_code == 404

    def test_a_dead_worker_shows_on_the_desks_pages(self, world: World, clock: MovableClock) -> None:
        services.send([Notice("new_task", FACTS, "case:7", "k", to_person=world.huang.pk)], at=NOW)
        lin = world.client("lin")
        clock.move(minutes=5)
        assert "通知发送迟滞" not in lin.get("/undelivered/").content.decode()
        clock.move(seconds=1)
        for address in ("/undelivered/", "/call-backs/"):
            assert "通知发送迟滞" in lin.get(address).content.decode()


class TestStub:
    def test_the_demo_shows_what_would_have_been_sent_and_says_so(self, send: Callable[..., None], settings: Any) -> None:
        settings.DEMO = True
        send(to_phone_sealed=seal_phone(PHONE))
        page = Client().get("/sms-stub/").content.decode()
        assert "这是占位通道" in page
        assert "尾号 2222" in page
        assert "您反映的“河道堵塞”（LG-2026-000123）已受理" in page
        assert PHONE not in page

    def test_outside_the_demo_there_is_no_such_page(self, settings: Any) -> None:
        settings.DEMO = False
        assert Client().get("/sms-stub/").status_code == 404

    def test_a_port_that_is_not_registered_is_a_fault_of_the_configuration(self, settings: Any) -> None:
        settings.SMS_PORTS = ["no-such"]
        (found,) = ports.check()
        assert "no-such" in found.msg
        assert "stub" in found.msg


def _about(about: str) -> list[Any]:
    from jiequ.channels import queries

    return queries.messages_about(about)


def vars_of(line: Any) -> dict[str, Any]:
    return {name: getattr(line, name) for name in line.__slots__}


def _stable(page: bytes) -> bytes:
    """A page without what differs each time it is drawn: tokens and keys."""
    return re.sub(rb'name="(csrfmiddlewaretoken|idempotency_key)" value="[^"]+"', b"", page)


def test_messages_keep_their_hours(world: World) -> None:
    """A page can say when a notice sent now would be heard."""
    from jiequ.channels import queries

    evening = NOW + timedelta(hours=10)
    assert queries.staff_hears_at(evening) == NOW.replace(hour=0) + timedelta(days=1)
    assert queries.staff_hears_at(evening, is_urgent=True) == evening
    assert queries.resident_hears_at(evening) == evening
    assert queries.resident_hears_at(evening + timedelta(hours=2)) == NOW.replace(hour=0) + timedelta(days=1)


@pytest.mark.parametrize("address", ["/call-backs/", "/undelivered/"])
def test_a_full_page_costs_as_much_as_one_row(address: str, work: Casework, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the cases' own links: they are asked for once a page, not once a row."""
    monkeypatch.setattr(services, "_links", REAL_LINKS)
    lin, counts = work.world.client("lin"), []
    lin.get(address)  # the district's name is read once a minute
    for more in (1, 24):
        for _n in range(more):
            case = work.reported().case
            phone = seal_phone(PHONE)
            key = f"full:{case.pk}"
            notice = Notice("new_task", FACTS, f"case:{case.pk}", key, to_phone_sealed=phone, street_id=case.street_id)
            services.send([notice], at=NOW)
            message = Message.objects.get(key=key)
            services.open_call_back(message, at=NOW)
            Message.objects.filter(pk=message.pk).update(state="not_delivered", ended_at=NOW)
        page: list[str] = []
        counts.append(len(statements_of(lambda page=page: page.append(lin.get(address).content.decode()))))
        assert page[0].count('href="/cases/LG-') >= more
    assert counts[0] == counts[1] <= 6
