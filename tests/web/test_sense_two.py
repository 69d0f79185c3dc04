"""Two files of a newcomer's own: one form, and from there to their comparison, or to a sentence that says why not."""

from __future__ import annotations

import io
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from jiequ.core.jobs import work_once
from jiequ.core.models import Job
from jiequ.people.models import Post
from jiequ.people.rules import Role
from jiequ.sense.models import Asset, Comparison, Upload
from jiequ.sense.services import pairing, uploading
from tests.actors import NOW, MovableClock, World, client_of
from tests.support.sense import DAYS, ZONE, analyst, staff
from tests.support.suspects import asset

PAGE = "/sense/two/"


@pytest.fixture
def client(world: World, settings: Any, tmp_path: Path) -> Client:
    settings.SENSE = tmp_path
    return analyst(world)[2]


def picture(world: World, day: Any, kind: str = "ortho", **more: Any) -> Asset:
    """A picture of that day, as the ingest leaves it, unless told otherwise."""
    made = asset(world.street.pk, kind, day)
    Asset.objects.filter(pk=made.pk).update(taken_at=datetime.combine(day, time(12), ZONE), **more)
    made.refresh_from_db()
    return made


def asked(client: Client, one: Asset, other: Asset) -> Any:
    """As the script does that has sent both by pieces."""
    return client.post(PAGE, {"one_id": one.pk, "other_id": other.pk})


def looked(after: timedelta = timedelta(minutes=1)) -> None:
    """The jobs inside the database that are due by then."""
    work_once(at=NOW + after, outside=False)


def form(*names: str, size: int = 40, **facts: Any) -> dict[str, Any]:
    found: dict[str, Any] = dict(facts)
    for slot, name in zip(("one", "other"), names, strict=False):
        found[slot] = io.BytesIO(slot.encode() * size)
        found[slot].name = name
    return found


def test_both_files_of_the_plain_form_go_in_with_their_days_and_the_page_shows_how_far_they_are(
    client: Client, clock: MovableClock
) -> None:
    answer = client.post(PAGE, form("a.tif", "b.tif", one_on=DAYS[0], other_on=DAYS[1]))
    one, other = Asset.objects.order_by("pk")
    assert answer["Location"] == f"{PAGE}{one.pk}/{other.pk}/"
    assert [str(each.flight.flown_on) for each in (one, other) if each.flight] == [str(day) for day in DAYS]
    assert Job.objects.filter(kind="sense.take").count() == 2
    text = client.get(answer["Location"]).content.decode()
    assert text.count("排队中") == 2
    assert f'data-sense-renew="{PAGE}{one.pk}/{other.pk}/progress"' in text
    assert 'data-sense-moving="1"' in client.get(f"{PAGE}{one.pk}/{other.pk}/progress").content.decode()


def test_they_are_compared_once_both_are_pictures_and_the_page_leads_there(
    client: Client, world: World, clock: MovableClock
) -> None:
    one, other = picture(world, DAYS[1], state="working", percent=40), picture(world, DAYS[0])
    answer = asked(client, one, other)
    looked()
    assert not Comparison.objects.exists(), "one is not ready"
    assert Job.objects.get(kind="sense.two").args["part"] == 1, "it looks again"
    assert "处理中 40%" in client.get(answer["Location"]).content.decode()
    Asset.objects.update(state="ready")
    looked(timedelta(minutes=3))
    row = Comparison.objects.get()
    assert (row.before_id, row.after_id, row.before_on, row.area) == (other.pk, one.pk, DAYS[0], None), "by day, however given"
    assert client.get(answer["Location"])["Location"] == f"/sense/comparisons/{row.pk}/"
    assert not Job.objects.filter(kind="sense.two").exists()
    asked(client, one, other)
    looked()
    assert Comparison.objects.count() == 1, "the same question is asked once"


def test_a_file_that_was_taken_in_before_stands_for_itself(client: Client, world: World, clock: MovableClock) -> None:
    before, after = picture(world, DAYS[0]), picture(world, DAYS[1])
    again = picture(world, DAYS[1], state="unusable", reason="twice", reason_facts={"asset": after.pk}, sha256="")
    answer = asked(client, before, again)
    assert "早先收过" in client.get(answer["Location"]).content.decode()
    looked()
    assert Comparison.objects.get().after_id == after.pk


def test_what_cannot_be_compared_is_said_in_one_sentence_with_a_way_to_begin_anew(
    client: Client, world: World, clock: MovableClock
) -> None:
    good, late = picture(world, DAYS[0]), picture(world, DAYS[1])
    heights = picture(world, DAYS[1], kind="dsm")
    nowhere = picture(world, DAYS[1], state="unusable", reason="no_position", name="IMG.jpg")
    twin = picture(world, DAYS[1], state="unusable", reason="twice", reason_facts={"asset": good.pk}, sha256="")
    told = {
        heights: "两份影像不是一类", nowhere: "“IMG.jpg”不能用：照片里没有位置", twin: "同一个文件",
        picture(world, DAYS[0]): "拍摄时间一样",
    }  # fmt: skip
    for other, words in told.items():
        answer = asked(client, good, other)
        looked()
        text = client.get(answer["Location"]).content.decode()
        assert words in text
        assert "重新选两份" in text
        assert "data-sense-renew" not in text, "nothing is waited for"
    assert not Comparison.objects.exists()
    assert not Job.objects.filter(kind="sense.two").exists()
    assert asked(client, late, late).status_code == 422


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (form("a.tif", one_on="2026-01-05"), "两期各一份"),
        (form("a.tif", "b.tif", one_on="2026-01-05"), "写明各是哪天拍的"),
        (form("a.jpg", "b.jpg", other_on="2999-01-01"), "不能晚于今天"),
        (form("a.jpg", "b.jpg", size=0), "文件是空的"),
    ],
    ids=["one", "no day", "tomorrow", "empty"],
)
def test_what_is_not_two_files_is_refused_and_neither_is_stored(client: Client, given: dict[str, Any], words: str) -> None:
    answer = client.post(PAGE, given)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Asset.objects.exists()
    assert not Upload.objects.exists()


def test_the_second_file_too_large_takes_the_first_with_it(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploading, "spoken_for", lambda: 0 if not Upload.objects.exists() else 1 << 60)
    answer = client.post(PAGE, form("a.jpg", "b.jpg"))
    assert (answer.status_code, "磁盘放不下" in answer.content.decode()) == (422, True)
    assert not Upload.objects.exists()
    assert not list((Path(uploading.settings.SENSE) / "incoming").iterdir())


def test_only_the_streets_analysts_and_only_while_they_are(client: Client, world: World, clock: MovableClock) -> None:
    one, other = picture(world, DAYS[0]), picture(world, DAYS[1])
    far, pilot = analyst(world, "far", other_street=True)[2], client_of(staff(world, Role.PILOT, "fei"))
    for path in (f"{PAGE}{one.pk}/{other.pk}/", f"{PAGE}{one.pk}/{other.pk}/progress"):
        assert (far.get(path).status_code, pilot.get(path).status_code) == (404, 403)
    assert asked(far, one, other).status_code == 404
    asked(client, one, other)
    Post.objects.filter(role="analyst").delete()
    looked()
    assert not Comparison.objects.exists(), "whoever asked has left meanwhile"


def test_what_takes_long_is_looked_at_less_and_less_often(client: Client, world: World) -> None:
    one, other = picture(world, DAYS[0], state="working"), picture(world, DAYS[1])
    told = {"street_id": world.street.pk, "one_id": one.pk, "other_id": other.pk, "person_id": 1, "since": NOW.isoformat()}
    for part, hours in enumerate((0, 1)):
        pairing.look(told, part, NOW + timedelta(hours=hours))
    due = [job.run_at - NOW for job in Job.objects.filter(kind="sense.two").order_by("run_at")]
    assert due == [timedelta(seconds=2), timedelta(hours=1, minutes=6)]
    Asset.objects.filter(pk=one.pk).delete()
    pairing.look(told, 9, NOW)
    assert Job.objects.filter(kind="sense.two").count() == 2, "a picture that was removed is waited for no longer"
