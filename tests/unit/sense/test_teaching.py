"""Learning from verdicts: pairs as training reads them, what a confidence is worth, gate, week in the shadow, going back."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from jiequ.core.errors import Refusal
from jiequ.sense import children, files
from jiequ.sense.child import learning, pairs
from jiequ.sense.engine import promotion
from jiequ.sense.models import Calibration, Comparison, Example, Net, Suspect, Verdict
from jiequ.sense.queries import nets
from jiequ.sense.services import examples, judging, teaching, weights
from tests.actors import LAT, LON, NOW, World
from tests.support.sense import analyst, geotiff
from tests.support.suspects import comparison, square, suspect

pytestmark = pytest.mark.filterwarnings("ignore:Use `@` matmul")


def card(sha256: str, *, passed: bool = True, why: str = "passed") -> dict[str, Any]:
    gate = {"local_before": 0.6, "local_after": 0.7, "dev_before": 0.6, "dev_after": 0.6, "passed": passed, "why": why}
    return {"card": {"sha256": sha256, "gate": gate, "n_pairs": 20, "n_frozen": 5}}


def judged(world: World, count: int, *, at: datetime = NOW) -> list[Example]:
    """So many places judged at a moment, their pairs in the store by name."""
    seen, made = comparison(world.street.pk), []
    for number in range(count):
        one = suspect(seen, 20.0 * number)
        said = Verdict.objects.create(suspect=one, finding=one.latest, said="confirmed", made_at=at, made_by=1)
        made.append(Example.objects.create(verdict=said, street=world.street, state="ready", made_at=at, cut_at=at))
    return made


def test_a_verdict_becomes_a_pair_only_when_its_window_is_judged(world: World, settings: Any, tmp_path: Path) -> None:
    settings.SENSE = tmp_path
    seen = comparison(world.street.pk)
    for which, asset in (("before", seen.before), ("after", seen.after)):
        assert asset is not None
        raster = geotiff(tmp_path / f"{which}.tif", size=600, gsd=0.4, lon=LON - 0.001, lat=LAT + 0.001, seed=len(which))
        files.store().place(raster, files.image_key(world.street.pk, asset.pk))
    by = analyst(world)[1]
    one, other = suspect(seen), suspect(seen, 15)
    judging.say(one, said="confirmed", version=1, by=by, at=NOW)
    assert examples.tile_of(Example.objects.get()) == "unjudged"
    judging.say(other, said="not", false_alarm="plants", version=1, by=by, at=NOW)
    tile = examples.tile_of(Example.objects.order_by("pk")[0])
    assert not isinstance(tile, str)
    assert [value for _shape, value in tile["shapes"]] == [255], "the false alarm is ground on which nothing changed"
    asked = {"place": files.described(), "work": str(tmp_path / "w"), "prefix": "1/pairs", "tiles": [tile]}
    assert pairs.do(asked, lambda told: None)["tiles"] == {tile["name"]: ""}

    label = cv2.imread(files.store().source(f"1/pairs/label/{tile['name']}.png"), cv2.IMREAD_GRAYSCALE)
    assert label is not None
    assert (label.shape, set(label.ravel().tolist())) == ((256, 256), {0, 255})
    assert (label > 0).sum() * 0.16 == pytest.approx(one.area_m2, rel=0.1)
    before = cv2.imread(files.store().source(f"1/pairs/before/{tile['name']}.png"))
    assert before is not None
    assert before.shape == (256, 256, 3)
    assert before.std() > 5
    beyond = tile | {"name": "edge", "middle": [LON - 0.001, LAT + 0.001]}
    assert pairs.do(asked | {"tiles": [beyond]}, lambda told: None)["tiles"] == {"edge": "no_data"}, "three quarters unseen"


def test_a_window_that_nobody_judges_holds_no_other_pair_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examples, "AT_ONCE", 1)
    seen, by = comparison(world.street.pk), analyst(world)[1]
    waits, _open_beside = suspect(seen), suspect(seen, 15)
    without = comparison(world.street.pk)
    Comparison.objects.filter(pk=without.pk).update(before=None)
    for one in (waits, suspect(without, 300)):
        judging.say(one, said="confirmed", version=1, by=by, at=NOW)
    for minute in range(3):
        keep = examples.cut_some(NOW + timedelta(minutes=minute))
        assert keep is not None
        keep()
    states = Example.objects.order_by("pk").values_list("state", "reason")
    assert list(states) == [("waiting", ""), ("skipped", "no_pictures")]


def test_what_was_cut_since_the_last_net_says_whether_there_is_something_new(
    world: World, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SENSE_TORCH_PYTHON = str(tmp_path / "python")
    (tmp_path / "python").touch()
    monkeypatch.setattr(teaching, "FEWEST_PAIRS", 2)
    monkeypatch.setattr(teaching, "FRESH_PAIRS", 2)
    seen, by = comparison(world.street.pk), analyst(world)[1]
    for number in range(3):
        judging.say(suspect(seen, 20.0 * number), said="confirmed", version=1, by=by, at=NOW)
    Example.objects.update(state="ready", cut_at=NOW)
    assert teaching.why_not() == ""
    teaching.candidate(card("a" * 64, passed=False), NOW + timedelta(hours=1))
    assert teaching.why_not() == "nothing_new"
    Example.objects.filter(pk__in=list(Example.objects.values_list("pk", flat=True)[:2])).update(
        cut_at=NOW + timedelta(hours=2)
    )
    assert teaching.why_not() == ""


def test_from_fifty_verdicts_on_a_confidence_becomes_a_likelihood(world: World) -> None:
    seen = comparison(world.street.pk)
    last = suspect(seen, confidence=0.9)
    for number in range(49):
        one = suspect(seen, confidence=number / 49, geometry=square(20.0 * number))
        said = "confirmed" if number > 24 else "not"
        Verdict.objects.create(suspect=one, finding=one.latest, said=said, made_at=NOW, made_by=1)
        Suspect.objects.filter(pk=one.pk).update(state="quiet")
    assert teaching.calibrate(world.street.pk, NOW) == 49
    last.refresh_from_db()
    assert last.likelihood is None
    Verdict.objects.create(suspect=one, said="lawful", is_second=True, made_at=NOW, made_by=2)  # counts not: a second reading
    extra = suspect(seen, 900, confidence=0.05)
    Verdict.objects.create(suspect=extra, finding=extra.latest, said="not", made_at=NOW, made_by=1)
    Suspect.objects.filter(pk=extra.pk).update(state="quiet")
    assert teaching.calibrate(world.street.pk, NOW) == 50
    last.refresh_from_db()
    assert last.likelihood is not None
    assert last.likelihood > 0.8
    assert Calibration.objects.get().verdicts == 50


def test_a_net_takes_over_only_by_gate_and_a_week_and_one_press_goes_back(world: World) -> None:
    by = analyst(world)[1]
    teaching.candidate(card("a" * 64, passed=False, why="worse_local"), NOW)
    assert [one.state for one in Net.objects.all()] == ["refused"]
    teaching.candidate(card("b" * 64), NOW)
    assert (nets.active(), getattr(nets.shadow(), "sha256", "")) == (None, "b" * 64)
    judged(world, 1, at=NOW - timedelta(hours=1))
    assert teaching.tonight(NOW + timedelta(days=7)) is None, "what was judged before it began says nothing of it"
    judged(world, 4, at=NOW + timedelta(hours=1))
    looks = [teaching.tonight(NOW + timedelta(days=days)) for days in (6, 7)]
    assert [one.args["what"] for one in looks if one] == ["watch", "watch"], "too little was judged for a verdict"
    judged(world, 1, at=NOW + timedelta(hours=2))
    due = teaching.tonight(NOW + timedelta(days=7))
    assert due is not None
    assert due.args["what"] == "weigh"
    teaching.weighed({"champion": {"pixel_f1": 0.6}, "shadow": {"pixel_f1": 0.595}}, NOW)
    first = nets.active()
    assert first is not None
    teaching.candidate(card("c" * 64), NOW)
    teaching.weighed({"champion": {"pixel_f1": 0.6}, "shadow": {"pixel_f1": 0.5}}, NOW)
    assert nets.active() == first, "worse in its week: it goes"
    teaching.candidate(card("d" * 64), NOW)
    teaching.weighed({"champion": {"pixel_f1": 0.6}, "shadow": {"pixel_f1": 0.7}}, NOW)
    assert getattr(nets.active(), "sha256", "") == "d" * 64
    teaching.roll_back(street_id=world.street.pk, by=by, at=NOW)
    assert nets.active() == first
    teaching.roll_back(street_id=world.street.pk, by=by, at=NOW)
    assert nets.active() is None, "in the end the net that ships"
    with pytest.raises(Refusal):
        teaching.roll_back(street_id=world.street.pk, by=by, at=NOW)


def test_both_nets_are_shown_at_the_places_judged_in_the_week_and_at_no_others(
    world: World, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SENSE = tmp_path
    known = weights.SHIPPED / "change.onnx"
    sha256 = hashlib.sha256(known.read_bytes()).hexdigest()
    for name in ("change.onnx", "change.onnx.sha256"):
        copy = tmp_path / name
        copy.write_bytes((weights.SHIPPED / name).read_bytes())
        files.store().place(copy, f"nets/{sha256}/{name}")
    judged(world, 1)
    teaching.candidate(card(sha256), NOW + timedelta(minutes=1))
    (example,) = judged(world, 1, at=NOW + timedelta(hours=1))
    for part in ("before", "after", "label"):
        image = np.zeros((256, 256) if part == "label" else (256, 256, 3), np.uint8)
        image[96:160, 96:160] = 255 if part == "label" else {"before": 40, "after": 200}[part]
        cv2.imwrite(str(tmp_path / "one.png"), image)
        files.store().place(tmp_path / "one.png", f"{world.street.pk}/pairs/{part}/{examples.name_of(example)}.png")
    asked: list[dict[str, Any]] = []

    def ask(_lane: str, _key: str, request: dict[str, Any]) -> dict[str, Any]:
        asked.append(request)
        return learning.do(request, lambda told: None)

    monkeypatch.setattr(children, "ask", ask)
    keep = teaching.work("watch", NOW.date().isoformat(), 0, NOW)
    assert keep is not None
    keep()
    assert [name for _prefix, name in asked[0]["keys"]] == [examples.name_of(example)]
    shadow = nets.shadow()
    assert shadow is not None
    ((verdict, told),) = nets.week_of(shadow)
    assert (verdict.pk, told["judged_m2"]) == (example.verdict_id, pytest.approx(655.4))
    assert told["champion"] == told["shadow"], "the same net under two names"
    text = analyst(world, "lan")[2].get("/sense/learning/").content.decode()
    assert verdict.suspect.number in text
    assert "怎样退回" in text


def place(judged: float, used: tuple[float, float], shadow: tuple[float, float]) -> dict[str, Any]:
    """What the night keeps of a judged place: square metres that each net found and flagged beside."""
    told = {which: {"found_m2": one[0], "beside_m2": one[1]} for which, one in (("champion", used), ("shadow", shadow))}
    return {"name": "1_0", "judged_m2": judged, **told}


def test_a_week_in_the_shadow_says_at_how_many_places_both_nets_agree(world: World) -> None:
    assert (nets.COVERED, nets.agreement_of(Net(card={}))) == (promotion.COVERED, None)
    teaching.candidate(card("b" * 64), NOW)
    places = [
        place(100, (80, 0), (20, 0)), place(100, (80, 0), (19, 500)), place(100, (5, 0), (30, 0)),  # a change: 20 % of it
        place(0, (0, 9), (0, 9.9)), place(0, (0, 0), (0, 10)), place(0, (0, 40), (0, 40)),  # none: 10 m²
    ]  # fmt: skip
    told = {"champion": {"pixel_f1": 0.6}, "shadow": {"pixel_f1": 0.7}, "pairs": places}
    teaching.watched(told, NOW)
    shadow = nets.shadow()
    assert shadow is not None
    found = nets.agreement_of(shadow)
    assert found == nets.Agreement(6, both=2, used_only=1, shadow_only=2, neither=1)
    assert found is not None
    assert found.percent == 50
    client = analyst(world)[2]
    assert "<strong>50%</strong> 说法一致：两个网络各看了 6 处" in client.get("/sense/learning/").content.decode()
    teaching.weighed(told, NOW)
    text = client.get("/sense/learning/").content.decode()
    assert "影子一周里两个网络各找到什么" in text, "it stays on the card of the net that took over"
    assert "各看了 6 处" in text


def test_without_torch_the_night_says_so_and_does_nothing(world: World, settings: Any) -> None:
    settings.SENSE_TORCH_PYTHON = ""
    assert teaching.why_not() == "no_torch"
    assert teaching.tonight(NOW) is None
    page = analyst(world)[2].get("/sense/learning/").content.decode()
    assert "JIEQU_SENSE_TORCH_PYTHON" in page
