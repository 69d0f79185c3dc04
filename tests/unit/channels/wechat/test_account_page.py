"""The system administrator's page of channels, and the command that does the same on the server."""

from __future__ import annotations

from argparse import Namespace
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from emulator.testing import Strings
from jiequ.channels.arrivals import handing, services
from jiequ.channels.arrivals.models import Arrival, State
from jiequ.channels.tokens.services import forget
from jiequ.channels.wechat.models import TemplateForm
from jiequ.core import clock
from jiequ.core.models import AuditEntry
from jiequ.web.cli import wechat as command
from tests.actors import World
from tests.unit.channels.wechat.conftest import Pusher

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(world: World) -> Client:
    return world.client("xi")


def page(client: Client) -> str:
    return client.get("/channels/").content.decode()


def test_without_an_account_the_page_says_where_to_read_on(admin: Client, settings: Any) -> None:
    settings.WECHAT_APPID = ""
    assert "wechat.md" in page(admin)
    assert admin.post("/channels/check").status_code == 422


def test_it_asks_the_account_and_says_in_words_what_is_wrong(admin: Client, platform: Strings, account: Any) -> None:
    assert "公众号回答正常" in admin.post("/channels/check", follow=True).content.decode()
    platform.ask("POST", f"/accounts/{account.WECHAT_APPID}", ip_whitelist=["10.9.9.9"])
    forget(f"wechat:{account.WECHAT_APPID}:access")
    told = admin.post("/channels/check", follow=True).content.decode()
    assert "IP 白名单" in told


def test_templates_are_read_and_each_field_gets_its_source_by_hand(admin: Client, platform: Strings) -> None:
    assert "4" in admin.post("/channels/templates", follow=True).content.decode()
    form = TemplateForm.objects.get(title="待办事项提醒")
    assert "待办环节 ← 事由" in page(admin)
    answer = admin.get(f"/channels/templates/{form.pk}")
    assert "待办环节" in answer.content.decode()
    given = {"group": "staff", "notice": "new_task", "turn": "2"} | {
        f"field-{name}": source for name, source in form.fields.items()
    }
    lacking = admin.post(f"/channels/templates/{form.pk}", given | {"field-thing3": ""})
    assert (lacking.status_code, "待办环节" in lacking.content.decode()) == (422, True)
    assert admin.post(f"/channels/templates/{form.pk}", given | {"notice": "reporter_closed"}).status_code == 422
    assert admin.post(f"/channels/templates/{form.pk}", given).status_code == 302
    beside = TemplateForm.objects.get(title="待办事项提醒", notice="new_task")
    assert (beside.pk != form.pk, beside.turn, beside.is_active) == (True, 2, True)
    admin.post(f"/channels/templates/{form.pk}/drop")
    assert list(TemplateForm.objects.filter(title="待办事项提醒")) == [beside]
    assert AuditEntry.objects.filter(action="wechat.form_saved").count() == 7


def test_what_could_not_be_worked_on_is_shown_and_tried_again(
    admin: Client, push: Pusher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_incoming: Any, *, at: Any) -> None:
        raise ValueError("of 13912345678")

    push(Content="河道堵了", MsgId="1")
    with monkeypatch.context() as patched:
        patched.setitem(services.HANDLERS, "wechat", [broken])
        for minute in range(5):
            handing.hand_on(at=clock.now() + timedelta(minutes=minute))
    shown = page(admin)
    assert "ValueError" in shown
    assert "13912345678" not in shown
    assert "河道" not in shown
    admin.post(f"/channels/arrivals/{Arrival.objects.get().pk}/revive")
    handing.hand_on(at=clock.now() + timedelta(hours=1))
    assert Arrival.objects.get().state == State.DONE


def test_the_command_does_the_same_on_the_server(platform: Strings, capsys: pytest.CaptureFixture[str]) -> None:
    for what in ("check", "menu", "templates"):
        assert command.main(Namespace(what=what)) == 0
    assert TemplateForm.objects.count() == 6
    platform.fault("errcode", "/api/cgi-bin/menu/create", errcode=45009)
    assert command.main(Namespace(what="menu")) == 1
    assert "次数已用完" in capsys.readouterr().err
