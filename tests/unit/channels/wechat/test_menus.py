"""Whose menu a follower is shown follows their posts, not only binding and unbinding."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from emulator.testing import Strings
from jiequ.channels.wechat import config, jobs, services
from jiequ.channels.wechat.models import Follower
from jiequ.channels.wechat.services import followers, menus
from jiequ.core import clock
from jiequ.core.jobs import work_once
from jiequ.core.models import Job
from jiequ.people import services as people
from jiequ.people.models import Leave, Person, Post
from jiequ.people.rules import Actor, Role
from tests.actors import World

pytestmark = pytest.mark.django_db


@pytest.fixture
def zhou(platform: Strings, world: World) -> Follower:
    """A phone that follows; whose it is, is for each test."""
    platform.does("zhou", "follow")
    at = clock.now()
    return followers.note_deed(platform.openid("zhou"), kind="event", event="subscribe", sent_at=at, at=at)


@pytest.fixture
def shown(zhou: Follower, platform: Strings) -> Callable[..., str]:
    """A round at that time and what follows from it; then the group whose tag the platform has for the phone."""

    def after(at: datetime | None = None) -> str:
        at = at or clock.now()
        jobs.follow_posts(at=at)
        while work_once(at=at, outside=True, line="wechat menus", limit=20):
            pass
        zhou.refresh_from_db()
        api = config.api()
        names = {one["id"]: one["name"] for one in api.get("/cgi-bin/tags/get")["tags"]}
        found = api.get("/cgi-bin/user/info", {"openid": platform.openid("zhou")}).get("tagid_list", [])
        assert [names[number] for number in found] == ([menus.TAGS[zhou.tag]] if zhou.tag else [])
        return zhou.tag

    return after


def bind(follower: Follower, person: Person) -> None:
    services.bind(follower.pk, person.pk, by=Actor.system(), at=clock.now())


def test_a_post_that_is_given_or_ended_changes_the_menu(zhou: Follower, shown: Callable[..., str], world: World) -> None:
    by, at = world.actor("xi"), clock.now()
    bind(zhou, world.huang)
    assert shown() == "field"
    post = people.give_post(person_id=world.huang.pk, role=Role.LEADER, street_id=world.street.pk, by=by, at=at)
    assert shown() == "leader"
    people.end_post(post_id=post.pk, by=by, at=at)
    assert shown() == "field"
    for one in Post.objects.filter(person=world.huang, ends_on=None):
        people.end_post(post_id=one.pk, by=by, at=at)
    assert shown() == ""


def test_a_post_that_begins_and_ends_by_its_date_does_too(zhou: Follower, shown: Callable[..., str], world: World) -> None:
    at = clock.now()
    day = timezone.localtime(at).date() + timedelta(days=2)
    bind(zhou, world.huang)
    more = {"starts_on": day, "ends_on": day + timedelta(days=2), "by": world.actor("xi"), "at": at}
    people.give_post(person_id=world.huang.pk, role=Role.LEADER, street_id=world.street.pk, **more)
    assert [shown(at + timedelta(days=n)) for n in (0, 3, 5)] == ["field", "leader", "field"]


def test_an_account_that_is_closed_has_everybodys_menu(zhou: Follower, shown: Callable[..., str], world: World) -> None:
    bind(zhou, world.he)
    assert shown() == "leader"
    people.disable_person(person_id=world.he.pk, by=world.actor("xi"), at=clock.now())
    assert shown() == ""


def test_a_deputy_has_the_leaders_menu_for_as_long_as_the_leave_lasts(
    zhou: Follower, shown: Callable[..., str], world: World
) -> None:
    at = clock.now()
    bind(zhou, world.chen)
    Leave.objects.create(person=world.he, deputy=world.chen, starts_at=at, ends_at=at + timedelta(days=1))
    assert shown(at + timedelta(seconds=1)) == "leader"
    assert shown(at + timedelta(days=2)) == "field"


def test_who_follows_again_is_tagged_again(zhou: Follower, shown: Callable[..., str], world: World, platform: Strings) -> None:
    bind(zhou, world.he)
    assert shown() == "leader"
    platform.does("zhou", "unfollow")
    at = clock.now()
    followers.note_deed(platform.openid("zhou"), kind="event", event="unsubscribe", sent_at=at, at=at)
    assert shown() == ""
    platform.does("zhou", "follow")
    followers.note_deed(platform.openid("zhou"), kind="event", event="subscribe", sent_at=at, at=at)
    assert shown() == "leader"


def test_what_the_platform_refuses_is_tried_again_and_not_queued_a_second_time(
    zhou: Follower, shown: Callable[..., str], world: World, platform: Strings
) -> None:
    at = clock.now()
    Follower.objects.filter(pk=zhou.pk).update(person=world.he)
    platform.fault("errcode", "/api/cgi-bin/tags/members/batchtagging", errcode=-1)
    jobs.follow_posts(at=at)
    assert work_once(at=at, outside=True, line="wechat menus") == 1
    for _round in range(3):
        jobs.follow_posts(at=at)
    assert Job.objects.filter(kind="wechat.tag").count() == 1
    assert shown(at + timedelta(minutes=1)) == "leader"


def test_a_round_with_nothing_to_do_asks_twice_and_calls_nobody(
    zhou: Follower, world: World, platform: Strings, django_assert_num_queries: Callable[[int], CaptureQueriesContext]
) -> None:
    bind(zhou, world.huang)
    Follower.objects.filter(pk=zhou.pk).update(tag="field")
    Job.objects.all().delete()
    with django_assert_num_queries(2):
        jobs.follow_posts(at=clock.now())
    assert not Job.objects.exists()
    assert platform.transcript(path="/api/cgi-bin/tags") == []
