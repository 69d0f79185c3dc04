"""The desk's pages of types, duty lists and control areas, through HTTP, scripts off."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client

from jiequ.cases.models import ControlArea, DutyList, EventType, FilingCondition, TypeEdition
from jiequ.cases.queries import types as queries
from jiequ.cases.services import types
from tests.actors import LAT, LON, NOW, STEP, MovableClock, World


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    queries.forget()
    yield
    queries.forget()


@pytest.fixture
def loaded(world: World, clock: MovableClock) -> World:
    types.load_catalogue(by=world.actor("xi"), at=NOW)
    return world


@pytest.fixture
def admin(loaded: World) -> Client:
    return loaded.client("xi")


class Fields(HTMLParser):
    """What a browser without scripts would send back from the page's big form."""

    def __init__(self, page: str, form_class: str) -> None:
        super().__init__()
        self.values: dict[str, Any] = {}
        self._within, self._area, self._select = False, "", ""
        self._form_class = form_class
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self._within = self._form_class in (given.get("class") or "")
        if not self._within:
            return
        name = given.get("name") or ""
        if tag == "input" and name:
            self._take(name, given)
        elif tag == "textarea":
            self._area, self.values[name] = name, ""
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and ("selected" in given or self._select not in self.values):
            self.values[self._select] = given.get("value") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._within = False
        if tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area:
            self.values[self._area] += data.removeprefix("\n")

    def _take(self, name: str, given: dict[str, str | None]) -> None:
        if given.get("type") in ("checkbox", "radio"):
            if "checked" in given:
                self.values.setdefault(name, []).append(given.get("value") or "on")
        else:
            self.values[name] = given.get("value") or ""


def form_of(client: Client, address: str, form_class: str = "type-form") -> dict[str, Any]:
    return Fields(client.get(address).content.decode(), form_class).values


# --- types ----------------------------------------------------------------------------------------------------------
def test_the_list_shows_every_type_with_each_condition_and_its_limit(admin: Client) -> None:
    text = admin.get("/types/").content.decode()
    assert text.count("<tr") - text.count("<tr><th") == 73
    assert "井盖弹跳、异响</span> <b>2工作日" in text
    assert "中山市12345的期限" in text
    found = admin.get("/types/?q=井盖").content.decode()
    assert "1101" in found
    assert "0110" not in found


def test_a_types_page_says_limit_closing_condition_proofs_and_source(admin: Client) -> None:
    text = admin.get("/types/component/1101/").content.decode()
    for words in ("2紧急工作时", "恢复井盖或围护", "处置前照片、处置后照片", "部件0101 4小时", "来自初始目录"):
        assert words in text
    assert "只到下一步" in admin.get("/types/event/9102/").content.decode()
    assert admin.get("/types/event/1101/").status_code == 404


def test_the_page_speaks_english_too(admin: Client) -> None:
    admin.cookies["django_language"] = "en"
    text = admin.get("/types/component/1101/").content.decode()
    assert "Cover missing or shifted" in text
    assert "Cover put back or hole fenced off" in text


def test_saving_the_form_makes_an_edition_and_its_page_shows_what_changed(admin: Client, loaded: World) -> None:
    data = form_of(admin, "/types/component/1101/edit/")
    old = FilingCondition.objects.get(edition__event_type__code="1101", key="broken")
    assert data["form-1-key"] == "broken"
    data["form-1-limit_value"] = "8"
    data["name_zh"] = "井盖问题"
    answer = admin.post("/types/component/1101/edit/", data)
    assert answer.status_code == 302
    text = admin.get(answer["Location"]).content.decode()
    assert "第2版" in text
    assert "<del>4工作时</del> <ins>8工作时</ins>" in text
    assert "<ins>井盖问题</ins>" in text
    old.refresh_from_db()
    assert old.limit_value == 4
    assert TypeEdition.objects.get(event_type__code="1101", number=2).made_by == loaded.xi.pk


def test_saving_it_unchanged_is_refused_and_makes_no_edition(admin: Client) -> None:
    for address in (
        "/types/component/1101/edit/",
        "/types/event/9104/edit/",
        "/types/event/9103/edit/",
        "/types/event/9502/edit/",
    ):
        answer = admin.post(address, form_of(admin, address))
        assert answer.status_code == 422
        assert "没有改动" in answer.content.decode()
    assert not TypeEdition.objects.filter(number=2).exists()


def test_a_condition_is_added_removed_and_moved_without_scripts(admin: Client) -> None:
    address = "/types/component/1101/edit/"
    data = form_of(admin, address)
    data["form-2-name_zh"] = "响得厉害"
    more = admin.post(address, data | {"more": "1"}).content.decode()
    assert "没有填好" not in more
    assert "This field is required" not in more
    assert "响得厉害" in more
    assert not TypeEdition.objects.filter(number=2).exists()
    data = Fields(more, "type-form").values
    assert data["form-TOTAL_FORMS"] == "5"
    data |= {"form-4-key": "sunk", "form-4-name_zh": "下沉", "form-4-limit_value": "1", "form-4-closing_zh": "填平"}
    data |= {"form-4-photo_after": "1", "form-4-ORDER": "1", "form-0-ORDER": "2", "form-3-DELETE": "on"}
    assert admin.post(address, data).status_code == 302
    made = TypeEdition.objects.get(event_type__code="1101", number=2)
    keys = list(made.conditions.order_by("position").values_list("key", flat=True))
    assert set(keys) == {"sunk", "missing", "broken", "rattling"}
    assert keys.index("sunk") < keys.index("missing")
    assert made.conditions.get(key="sunk").required_proofs == [{"kind": "photo", "phase": "after", "at_least": 1}]


def test_an_added_condition_left_empty_is_no_condition(admin: Client) -> None:
    address = "/types/event/0110/edit/"
    data = Fields(admin.post(address, form_of(admin, address) | {"more": "1"}).content.decode(), "type-form").values
    assert admin.post(address, data | {"note": "改了备注"}).status_code == 302
    assert TypeEdition.objects.get(event_type__code="0110", number=2).conditions.count() == 1


def test_what_is_filled_in_badly_stays_on_the_page_with_a_sentence(admin: Client) -> None:
    address = "/types/event/0110/edit/"
    data = form_of(admin, address) | {"form-0-limit_value": "很快", "name_zh": "垃圾堆"}
    answer = admin.post(address, data)
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "垃圾堆" in text
    assert "很快" in text
    assert "没有填好" in text


def test_who_saw_an_older_edition_is_told(admin: Client) -> None:
    address = "/types/event/0110/edit/"
    data = form_of(admin, address)
    assert admin.post(address, data | {"note": "一", "idempotency_key": "a" * 20}).status_code == 302
    late = admin.post(address, data | {"note": "二", "idempotency_key": "b" * 20})
    assert late.status_code == 409
    assert "刚被别人改过" in late.content.decode()


def test_the_same_form_sent_twice_makes_one_edition(admin: Client) -> None:
    address = "/types/event/0110/edit/"
    data = form_of(admin, address) | {"note": "一"}
    assert [admin.post(address, data).status_code for _ in range(2)] == [302, 302]
    assert TypeEdition.objects.filter(event_type__code="0110").count() == 2


def test_a_new_type_is_made_taken_out_of_use_and_brought_back(admin: Client) -> None:
    data = form_of(admin, "/types/new/") | {
        "kind": "component", "code": "0299", "name_zh": "信报箱", "major_code": "11", "major_zh": "部件问题",
        "lead_department_key": "cg", "priority": "2", "trace_strength": "P", "form-0-key": "broken",
        "form-0-name_zh": "破损", "form-0-limit_value": "1.5", "form-0-limit_unit": "work_day", "form-0-closing_zh": "修复",
        "form-0-covers": "whole", "form-0-starts": "dispatch", "form-0-strength": "P", "form-0-photo_after": "1",
    }  # fmt: skip
    answer = admin.post("/types/new/", data)
    assert answer.status_code == 302, re.findall(r"field-error.*?</p>", answer.content.decode())
    assert "1.5工作日" in admin.get("/types/component/0299/").content.decode()
    assert admin.post("/types/component/0299/active/", {"active": "0"}).status_code == 302
    assert not EventType.objects.get(code="0299").is_active
    assert admin.post("/types/component/0299/active/", {"active": "1"}).status_code == 302
    assert EventType.objects.get(code="0299").is_active


@pytest.mark.parametrize("broken", ["form-TOTAL_FORMS", "form-INITIAL_FORMS"])
@pytest.mark.parametrize("value", ["", "x", "99999999999", "-1"])
def test_a_broken_form_is_refused_and_never_a_fault(admin: Client, broken: str, value: str) -> None:
    for more in ({}, {"more": "1"}):
        data = form_of(admin, "/types/event/0110/edit/") | {broken: value} | more
        assert admin.post("/types/event/0110/edit/", data).status_code in (200, 422)


def test_desk_roles_read_and_only_the_administrator_changes(loaded: World) -> None:
    readers = {"lin", "he", "liang", "du", "wai", "xi"}
    for name in [*loaded.people, "zhou"]:
        client = loaded.client(name)
        for address in ("/types/", "/types/event/0110/", "/types/duty-lists/", "/types/control-areas/"):
            status = client.get(address).status_code
            assert (status == 200) == (name in readers), (name, address, status)
        if name != "xi":
            assert client.get("/types/new/").status_code in (302, 403)
            assert client.post("/types/event/0110/edit/", {}).status_code in (302, 403)
            assert client.post("/types/event/0110/active/", {"active": "0"}).status_code in (302, 403)
    assert "修改" not in loaded.client("lin").get("/types/event/0110/").content.decode()


# --- duty lists, control areas --------------------------------------------------------------------------------------
def test_a_duty_list_is_made_changed_and_removed(admin: Client, loaded: World) -> None:
    start = f"/types/duty-lists/new/?street={loaded.street.pk}"
    data = form_of(admin, start, "form card")
    data |= {"holder": f"department:{loaded.sanitation.pk}", "clause": "清单第三条", "types": ["event:0110", "event:0192"]}
    assert admin.post(start, data).status_code == 302
    row = DutyList.objects.get()
    assert "清单第三条" in admin.get(f"/types/duty-lists/?street={loaded.street.pk}").content.decode()
    assert "环卫站" not in "".join(label for _, label in _holders(admin, start)), "it has its list"
    data = form_of(admin, f"/types/duty-lists/{row.pk}/", "form card")
    assert data["types"] == ["event:0110", "event:0192"]
    assert admin.post(f"/types/duty-lists/{row.pk}/", data | {"clause": "第四条"}).status_code == 302
    assert admin.post(f"/types/duty-lists/{row.pk}/", data | {"clause": "旧的", "idempotency_key": "c" * 20}).status_code == 409
    row.refresh_from_db()
    assert (row.clause, row.version) == ("第四条", 2)
    assert admin.post(f"/types/duty-lists/{row.pk}/remove/", {"version": "2"}).status_code == 302
    assert not DutyList.objects.exists()


def _holders(client: Client, address: str) -> list[tuple[str, str]]:
    select = re.search(r'<select name="holder".*?</select>', client.get(address).content.decode(), re.S)
    assert select
    return re.findall(r'<option value="([^"]+)"[^>]*>([^<]+)', select.group())


def test_a_control_area_is_drawn_as_text_changed_and_ended(admin: Client, loaded: World) -> None:
    start = f"/types/control-areas/new/?street={loaded.street.pk}"
    corners = f"{LON}, {LAT}\n{LON + STEP}，{LAT}\n{LON + STEP}, {LAT + STEP}\n{LON}, {LAT + STEP}"
    data = form_of(admin, start, "split") | {
        "name": "东涌路改造", "notice_zh": "施工至月底", "starts_at": "2026-03-01T08:00", "ends_at": "2026-03-31T18:00",
        "corners": corners, "types": ["event:0113"],
    }  # fmt: skip
    assert admin.post(start, data).status_code == 302
    row = ControlArea.objects.get()
    found = queries.control_notice(*loaded.point_in("a"), EventType.objects.get(code="0113").pk, NOW)
    assert found is not None
    assert found.id == row.pk
    assert "施工至月底" in admin.get(f"/types/control-areas/?street={loaded.street.pk}").content.decode()
    again = form_of(admin, f"/types/control-areas/{row.pk}/", "split")
    assert again["corners"].count("\n") == 3
    east = str(loaded.communities["east"].pk)
    assert admin.post(f"/types/control-areas/{row.pk}/", again | {"corners": "", "community": east}).status_code == 302
    assert admin.post(f"/types/control-areas/{row.pk}/end/", {"version": "2"}).status_code == 302
    assert "已结束" in admin.get(f"/types/control-areas/?street={loaded.street.pk}").content.decode()


@pytest.mark.parametrize("corners", ["113.5", "a, b\nc, d\ne, f", "1,2\n3,4", "0,0\n0,1\n1,1", "113.5,23\n113.5,23\n113.5,23"])
def test_corners_that_are_no_area_are_refused_and_stay_on_the_page(admin: Client, loaded: World, corners: str) -> None:
    start = f"/types/control-areas/new/?street={loaded.street.pk}"
    data = form_of(admin, start, "split") | {
        "name": "东涌路改造", "notice_zh": "施工", "starts_at": "2026-03-01T08:00", "ends_at": "2026-03-31T18:00",
        "corners": corners,
    }  # fmt: skip
    answer = admin.post(start, data)
    assert answer.status_code == 422
    assert corners.split("\n")[0] in answer.content.decode()
    assert not ControlArea.objects.exists()


def test_a_reader_of_one_street_sees_no_other_streets_lists(loaded: World) -> None:
    other = loaded.other_street.pk
    assert loaded.client("lin").get(f"/types/duty-lists/?street={other}").status_code == 404
    assert loaded.client("lin").get(f"/types/control-areas/?street={other}").status_code == 404
    assert loaded.client("du").get(f"/types/duty-lists/?street={other}").status_code == 200
