"""The contacts: departments and ids only, who of ours a member is, and what happens when somebody leaves."""

from __future__ import annotations

from typing import Any

import pytest

from emulator import scene
from jiequ.channels.wecom import platform, queries, rules, services
from jiequ.channels.wecom.models import Sync, WecomDepartment, WecomUser
from jiequ.core.errors import Refusal
from jiequ.core.models import AuditEntry
from jiequ.people.models import Person
from tests.unit.channels.wecom.office import CONTACTS_CALLBACK, Office

pytestmark = pytest.mark.django_db(databases=["default", "arrivals"])


def synced(office: Office) -> Sync:
    services.begin_sync(by=office.world.actor("xi"), at=office.clock.at)
    office.work()
    return Sync.objects.latest("pk")


def present() -> set[str]:
    return set(WecomUser.objects.present().values_list("userid", flat=True))


def test_a_pass_finds_departments_and_ids_page_by_page(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "PAGE", 2)
    sync = synced(office)
    assert (sync.error, sync.members, sync.added, sync.gone, sync.departments) == ("", 5, 5, 0, 5)
    assert sync.pages == 3  # the departments, and two of three pages; the last ends it
    assert present() == {"chen", "huang", "shui", "qian", "he"}
    assert WecomDepartment.objects.get(number=4).name == "水务"
    assert WecomUser.objects.get(userid="qian").departments == [4]


def test_nothing_about_a_member_is_taken_but_the_id_and_the_department(office: Office) -> None:
    synced(office)
    kept = str(list(WecomUser.objects.values())) + str(list(Sync.objects.values()))
    assert not any(word in kept for word in ("钱江", "13800000", "@example.com", "水务负责人"))


def test_whoever_left_stands_for_nobody_and_is_signed_out(office: Office) -> None:
    office.match("qian")
    synced(office)
    office.emulator.ask("POST", f"/corps/{scene.CORPID}/contacts/delete_user", userid="qian")
    sync = synced(office)
    assert sync.gone == 1
    row = WecomUser.objects.get(userid="qian")
    assert (row.person, row.gone_at) == (None, office.clock.at)
    assert AuditEntry.objects.filter(action="wecom.left", object_id=str(row.pk)).exists()


def test_whoever_comes_while_a_pass_runs_is_not_let_go_by_it(office: Office) -> None:
    """Its pages are read already: who was pushed or tied since is in none of them."""
    services.begin_sync(by=None, at=office.clock.at)
    sync = Sync.objects.get()
    services.store_units(sync, [rules.Unit(1, "街道", 0)], at=office.clock.at)
    services.store_page(sync, [rules.Member("chen", (1,))], "next", at=office.clock.at)
    for event in ({"ChangeType": "create_user", "UserID": "wu"}, {"ChangeType": "create_party", "Id": "9", "Name": "新部门"}):
        change = rules.change_of(event)
        assert change is not None
        services.apply_change(change, at=office.clock.at)
    services.tie(userid="huang", person=office.world.huang, at=office.clock.at)
    services.store_page(sync, [rules.Member("he", (1,))], "", at=office.clock.at)
    assert (Sync.objects.get().ended_at, Sync.objects.get().gone) == (office.clock.at, 0)
    assert present() == {"chen", "he", "wu", "huang"}
    assert queries.person_of("huang") == office.world.huang
    assert WecomDepartment.objects.filter(number=9).exists()


def test_a_pass_that_finds_nobody_changes_nothing(office: Office) -> None:
    synced(office)
    before = present()
    office.emulator.fault("bad_json", "/qyapi/cgi-bin/user/list_id")
    services.begin_sync(by=None, at=office.clock.at)
    office.work()
    assert present() == before  # an answer that is none is tried again
    sync = Sync.objects.latest("pk")
    sync.pages = 1
    services.store_page(sync, [], "", at=office.clock.at)
    assert Sync.objects.latest("pk").error == "nobody"
    assert present() == before


def test_a_secret_without_the_right_ends_the_pass_with_why(office: Office, settings: Any) -> None:
    settings.WECOM_CONTACTS_SECRET = scene.AGENT_SECRET  # the application's: may see departments, may not list ids
    assert synced(office).error == "errcode_48002"


def test_an_untrusted_address_ends_the_pass_with_why(office: Office) -> None:
    office.emulator.ask("POST", f"/corps/{scene.CORPID}", contacts_ips=["10.1.1.1"])
    assert synced(office).error == "errcode_60020"


def test_one_pass_at_a_time(office: Office) -> None:
    services.begin_sync(by=None, at=office.clock.at)
    with pytest.raises(Refusal) as caught:
        services.begin_sync(by=None, at=office.clock.at)
    assert caught.value.code == "wecom_sync_runs"


def test_pushed_changes_come_at_once(office: Office) -> None:
    synced(office)
    for kind, fields in (
        ("create_user", {"userid": "wu", "name": "吴敏"}),
        ("create_party", {"id": 9, "name": "新部门"}),
        ("delete_user", {"userid": "shui"}),
    ):
        office.emulator.ask("POST", f"/corps/{scene.CORPID}/contacts/{kind}", **fields)
    office.emulator.settle()
    assert office.deliver(*office.callback.pushes[-3:], path=CONTACTS_CALLBACK) == [200, 200, 200]
    office.work()
    assert present() == {"chen", "huang", "wu", "qian", "he"}
    assert WecomDepartment.objects.filter(number=9).exists()


def test_two_members_made_in_one_second_are_two(office: Office) -> None:
    for userid in ("a1", "a2"):
        office.emulator.ask("POST", f"/corps/{scene.CORPID}/contacts/create_user", userid=userid, name="新")
    office.emulator.settle()
    office.deliver(*office.callback.pushes[-2:], path=CONTACTS_CALLBACK)
    office.work()
    assert present() == {"a1", "a2"}


def test_an_id_that_is_our_user_name_is_suggested_never_taken(office: Office) -> None:
    synced(office)
    suggested = {row.userid: person.username for row, person in queries.suggestions()}
    assert suggested == {name: name for name in ("chen", "huang", "qian", "he")}
    assert not WecomUser.objects.exclude(person=None).exists()
    assert services.match_suggested(by=office.world.actor("xi"), at=office.clock.at) == 4
    assert queries.person_of("qian") == office.world.qian


def test_a_member_is_matched_by_user_name_or_phone_of_our_roster(office: Office) -> None:
    synced(office)
    row = WecomUser.objects.get(userid="shui")
    by, at = office.world.actor("xi"), office.clock.at
    refused = [("shui", "没有", "wecom_no_person"), ("qian", "zhao", "wecom_has_other"), ("shui", "huang", "wecom_taken")]
    services.match(member_id=row.pk, login=office.world.zhao.phone, by=by, at=at)
    assert queries.person_of("shui") == office.world.zhao
    for userid, login, code in refused:
        with pytest.raises(Refusal) as caught:
            services.match(member_id=WecomUser.objects.get(userid=userid).pk, login=login, by=by, at=at)
        assert caught.value.code == code
    services.unmatch(member_id=row.pk, by=by, at=at)
    assert queries.person_of("shui") is None
    assert AuditEntry.objects.filter(action__startswith="wecom.").count() == 2


def test_a_closed_account_is_reached_by_nobody(office: Office) -> None:
    office.match("qian")
    Person.objects.filter(pk=office.world.qian.pk).update(is_active=False, disabled_at=office.clock.at)
    assert queries.person_of("qian") is None
    assert queries.userids([office.world.qian.pk]) == {}


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"ChangeType": "update_user", "UserID": "a", "NewUserID": "b", "Department": "1,2"}, ("update", "a", "b", (1, 2))),
        ({"ChangeType": "delete_user", "UserID": "a"}, ("delete", "a", "", None)),
        ({"ChangeType": "update_tag", "UserID": "a"}, None),
        ({"ChangeType": "delete_user", "UserID": ""}, None),
        ({"ChangeType": "delete_user", "UserID": "x" * 65}, None),
        ({"ChangeType": "create_party", "Id": "-1"}, None),
        ({}, None),
    ],
)
def test_a_change_says_what_it_is_about_or_nothing(fields: dict[str, Any], found: tuple[Any, ...] | None) -> None:
    change = rules.change_of(fields)
    assert (change and (change.verb, change.userid, change.new_userid, change.departments)) == found


def test_a_member_whose_id_changes_stays_who_they_are(office: Office) -> None:
    office.match("qian")
    change = rules.change_of({"ChangeType": "update_user", "UserID": "qian", "NewUserID": "qianjiang"})
    assert change is not None
    services.apply_change(change, at=office.clock.at)
    services.apply_change(change, at=office.clock.at)
    assert queries.person_of("qianjiang") == office.world.qian
    assert present() == {"qianjiang"}
