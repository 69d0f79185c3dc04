"""The pages of people, as their readers see them, in both languages."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from jiequ.people.models import Department, Leave, Person, Post, Shift
from tests.actors import PASSWORD, MovableClock, World, client_of

PAGES = {
    "xi": ["/me", "/people", "/people/new", "/departments", "/rota", "/me/sessions", "/me/password", "/me/second-factor"],
    "an": ["/me", "/security", "/security?q=lin"],
    "he": ["/me", "/me/leave", "/people", "/rota"],
    "wu": ["/me", "/me/leave", "/people", "/rota"],
    "chen": ["/me", "/me/leave", "/rota", "/me/sessions", "/me/password", "/me/second-factor"],
    "zhou": ["/sign-in", "/sign-in/reset"],
}


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_page_opens_for_whom_it_is_made_without_inline_style_or_script(
    world: World, clock: MovableClock, language: str
) -> None:
    for name, paths in PAGES.items():
        client = world.client(name)
        client.cookies["django_language"] = language
        for path in paths:
            answer = client.get(path)
            text = answer.content.decode()
            assert answer.status_code == 200, (name, path)
            assert not re.search(r"<[^>]+\sstyle=|<script(?![^>]+src=)|\son[a-z]+=", text), (name, path)
            assert f'lang="{language}"' in text


def test_the_english_pages_hold_no_chinese_of_ours(world: World, clock: MovableClock) -> None:
    Person.objects.update(name="Somebody")
    Department.objects.update(name_zh="Department")
    chinese = re.compile(r"[\u4e00-\u9fff]+")
    for name, paths in PAGES.items():
        client = world.client(name)
        client.cookies["django_language"] = "en"
        for path in [*paths, *([f"/people/{world.wu.pk}", f"/departments/{world.water.pk}"] if name == "xi" else [])]:
            text = client.get(path).content.decode()
            main = re.sub(r"value=\"[^\"]*\"", "", text[text.index("<main") : text.index("</main>")]).replace("中文", "")
            assert not chinese.findall(main), (name, path, chinese.findall(main))


def test_an_administrator_makes_a_person_gives_a_post_and_closes_the_account(world: World, clock: MovableClock) -> None:
    xi = world.client("xi")
    made = xi.post("/people/new", {"name": "孙 力", "username": "Sun", "phone": "138 0000 0099", "street": world.street.pk})
    person = Person.objects.get(username="sun")
    assert made.status_code == 302
    assert made["Location"] == f"/people/{person.pk}"
    assert (person.name, person.phone, person.street_id) == ("孙 力", "13800000099", world.street.pk)
    assert not person.has_usable_password()

    given = {"role": "handler", "street": world.street.pk, "department": world.sanitation.pk}
    assert xi.post(f"/people/{person.pk}/posts", given).status_code == 302
    assert Post.objects.get(person=person).department == world.sanitation
    assert xi.post(f"/people/{person.pk}/posts", given).status_code == 422
    assert xi.get(f"/people/{person.pk}").status_code == 200

    assert xi.post(f"/people/{person.pk}/active", {"active": "0"}).status_code == 302
    person.refresh_from_db()
    assert not person.is_active
    assert not Post.objects.filter(person=person).exists()


def test_a_person_that_is_refused_keeps_what_was_typed(world: World, clock: MovableClock) -> None:
    answer = world.client("xi").post("/people/new", {"name": "重名", "username": "lin", "phone": ""})
    assert answer.status_code == 422
    assert 'value="重名"' in answer.content.decode()
    assert "已经有人用了" in answer.content.decode()


def test_two_administrators_who_change_one_person_do_not_overwrite_each_other(world: World, clock: MovableClock) -> None:
    xi, old = world.client("xi"), world.chen.version
    form = {"version": old, "name": "陈勇", "phone": world.chen.phone, "street": world.street.pk}
    assert xi.post(f"/people/{world.chen.pk}", form).status_code == 302
    again = xi.post(f"/people/{world.chen.pk}", {**form, "name": "陈永"})
    assert again.status_code == 409
    assert Person.objects.get(pk=world.chen.pk).name == "陈勇"


def test_one_tap_hands_over_for_today_and_one_takes_it_back(world: World, clock: MovableClock) -> None:
    chen = world.client("chen")
    assert chen.post("/me/leave", {"deputy": world.liu.pk, "days": "1"}).status_code == 302
    leave = Leave.objects.get()
    assert (leave.person, leave.deputy, leave.starts_at) == (world.chen, world.liu, clock.at)
    assert "代理 陈勇" in world.client("liu").get("/me").content.decode()
    assert chen.post(f"/leave/{leave.pk}/end").status_code == 302
    assert "代理 陈勇" not in world.client("liu").get("/me").content.decode()


def test_a_lead_arranges_leave_for_their_person_and_for_nobody_elses(world: World, clock: MovableClock) -> None:
    wu = world.client("wu")
    assert wu.post(f"/people/{world.huang.pk}/leave", {"deputy": world.wu.pk, "days": "3"}).status_code == 302
    assert Leave.objects.get().set_by == world.wu
    assert wu.get(f"/people/{world.zhao.pk}/leave").status_code == 404
    assert wu.post(f"/people/{world.zhao.pk}/leave", {"deputy": world.wu.pk, "days": "3"}).status_code == 404
    assert Leave.objects.count() == 1


def test_a_duty_leader_fills_the_rota_and_the_shift_can_pass_midnight(world: World, clock: MovableClock) -> None:
    liang = world.client("liang")
    post = Post.objects.get(person=world.chen)
    turn = {"post": post.pk, "day": "2026-03-05", "from": "20:00", "to": "08:00", "street": world.street.pk}
    assert liang.post("/rota", turn).status_code == 302
    shift = Shift.objects.get()
    assert (shift.ends_at - shift.starts_at).total_seconds() == 12 * 3600
    assert "20:00–08:00" in liang.get("/rota?week=2026-03-05").content.decode()
    assert liang.post("/rota", {**turn, "from": "21:00"}).status_code == 422
    assert world.client("wai").get(f"/rota?street={world.street.pk}").status_code == 404
    assert world.client("chen").post(f"/rota/{shift.pk}/remove").status_code == 403
    assert liang.post(f"/rota/{shift.pk}/remove").status_code == 302
    assert not Shift.objects.exists()


def test_a_lead_puts_only_the_own_department_on_the_rota(world: World, clock: MovableClock) -> None:
    wu = world.client("wu")
    mine, others = (Post.objects.get(person=person) for person in (world.huang, world.zhao))
    turn = {"day": "2026-03-05", "from": "08:00", "to": "12:00", "street": world.street.pk}
    assert wu.post("/rota", {**turn, "post": mine.pk}).status_code == 302
    assert wu.post("/rota", {**turn, "post": others.pk}).status_code == 403
    assert list(Shift.objects.values_list("person_id", flat=True)) == [world.huang.pk]


def test_somebody_of_another_street_finds_no_person_here(world: World, clock: MovableClock) -> None:
    stranger = world.people["wai"]
    Post.objects.create(person=stranger, account="staff", role="leader", street=world.other_street, starts_on="2026-01-05")
    client = client_of(stranger)
    listed = client.get("/people").content.decode()
    assert "安外" in listed
    assert "陈勇" not in listed
    assert client.get(f"/people/{world.chen.pk}").status_code == 404
    assert client.get("/people/999999").status_code == 404


def test_hand_over_shows_up_as_a_form_and_moves_shifts(world: World, clock: MovableClock) -> None:
    begins = clock.at.replace(hour=12)
    Shift.objects.create(
        person=world.chen, role="grid_worker", street=world.street, starts_at=begins, ends_at=begins.replace(hour=14)
    )
    answer = world.client("liang").post(f"/people/{world.chen.pk}/hand-over", {"to": world.liu.pk})
    assert answer.status_code == 302
    assert Shift.objects.get().person == world.liu


def test_bad_input_gets_a_sentence_and_stores_nothing(world: World, clock: MovableClock) -> None:
    chen, xi = world.client("chen"), world.client("xi")
    for data in (
        {"deputy": "x", "days": "1"},
        {"deputy": str(10**30), "days": "1"},
        {"deputy": world.liu.pk, "starts_at": "morgen", "ends_at": ""},
        {"deputy": world.liu.pk, "starts_at": "2026-03-09T08:00", "ends_at": "2026-03-08T08:00"},
        {"deputy": world.chen.pk, "days": "1"},
        {"deputy": world.wai.pk, "days": "1"},
        {"deputy": world.xi.pk, "days": "1"},
        {},
    ):
        assert 400 <= chen.post("/me/leave", data).status_code < 500, data
    assert not Leave.objects.exists()
    for data in ({}, {"role": "king"}, {"role": "handler"}, {"role": "system_admin"}, {"role": "bureau", "department": 1}):
        assert 400 <= xi.post(f"/people/{world.chen.pk}/posts", data).status_code < 500, data
    assert Post.objects.filter(person=world.chen).count() == 1


def test_a_browser_without_a_session_is_led_to_the_sign_in_page_and_back(world: World, clock: MovableClock) -> None:
    answer = Client().get("/me/leave")
    assert answer.status_code == 302
    assert answer["Location"] == "/sign-in?next=%2Fme%2Fleave"


FORMS = {
    # who, address, honest fields: what a form may change
    "profile": ("chen", "/me", {"language": "en"}, {"language", "care_mode"}),
    "person": ("xi", "/people/{chen}", {"version": "1", "name": "陈勇", "phone": "13800000002"}, {"version", "street_id"}),
    "password": (
        "chen",
        "/me/password",
        {"old": PASSWORD, "new": "a-new-river-1", "again": "a-new-river-1"},
        {"password", "session_epoch"},
    ),
}
STRANGE = {
    "account": "system_admin",
    "is_active": "0",
    "session_epoch": "99",
    "totp_sealed": "x",
    "oidc_subject": "d-1001",
    "username": "root",
    "person": "1",
    "person_id": "1",
    "id": "1",
    "is_superuser": "1",
    "created_at": "2000-01-01",
    "disabled_at": "2000-01-01",
}


@pytest.mark.parametrize("form", FORMS)
def test_fields_a_form_does_not_have_change_no_column(world: World, clock: MovableClock, form: str) -> None:
    who, address, honest, may_change = FORMS[form]
    before = {row["id"]: row for row in Person.objects.values()}
    strange = {**STRANGE, "password": "pbkdf2$x"} if form != "password" else STRANGE
    answer = world.client(who).post(address.format(chen=world.chen.pk), {**strange, **honest})
    assert answer.status_code == 302
    changed = {
        (row["username"], column)
        for row in Person.objects.values()
        for column, value in row.items()
        if before[row["id"]][column] != value
    }
    assert changed <= {("chen", column) for column in may_change}
    assert Post.objects.filter(account="system_admin").count() == 1


@pytest.mark.parametrize("times", [1, 2, 10])
def test_a_form_sent_again_is_done_once_and_answered_alike(world: World, clock: MovableClock, times: int) -> None:
    xi, chen = world.client("xi"), world.client("chen")
    sent = {
        "person": (xi, "/people/new", {"name": "孙力", "username": "sun"}),
        "department": (
            xi,
            "/departments",
            {"street": world.street.pk, "kind": "office", "key": "new", "name_zh": "新", "name_en": "New"},
        ),
        "post": (xi, f"/people/{world.chen.pk}/posts", {"role": "pilot", "street": world.street.pk}),
        "leave": (chen, "/me/leave", {"deputy": world.liu.pk, "days": "3"}),
    }
    for name, (client, address, form) in sent.items():
        keyed = {**form, "idempotency_key": f"a-key-of-this-form-{name}"}
        answers = [client.post(address, keyed) for _n in range(times)]
        assert {(answer.status_code, answer.get("Location"), answer.content) for answer in answers} == {
            (302, answers[0]["Location"], answers[0].content)
        }, name
        assert client.post(address, {**keyed, "extra": "1"}).status_code == 422, name
    assert Person.objects.filter(username="sun").count() == 1
    assert Department.objects.filter(key="new").count() == 1
    assert Leave.objects.count() == 1
