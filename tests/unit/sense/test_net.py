"""The change net: it answers with its own weights or not at all, sees what was built and stays quiet where nothing was."""

import importlib.util
import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from jiequ.sense.engine import isotonic, net, promotion, scenes

TORCH = os.environ.get("TORCH_PYTHON", "")


def test_the_same_seed_gives_the_same_pair_and_another_seed_another():
    one, again, other = scenes.pair(5, size=96), scenes.pair(5, size=96), scenes.pair(6, size=96)
    assert (one.after == again.after).all()
    assert (one.new == again.new).all()
    assert (one.after != other.after).any()


def test_a_still_season_with_cars_and_shadows_is_no_change_and_new_roofs_are_marked_where_roofs_are():
    pairs = [scenes.pair(seed, size=128) for seed in range(12)]
    assert any(not p.new.any() and not p.gone.any() for p in pairs)
    assert any(p.new.any() for p in pairs)
    new, roofs = sum(p.new.sum() for p in pairs), sum((p.new & p.roofs_after).sum() for p in pairs)
    assert roofs > 0.85 * new


def test_the_shipped_net_finds_what_was_built_in_scenes_it_never_saw_and_little_else():
    asked = [scenes.pair(900_000 + k, size=192, gsd=0.4) for k in range(8)]
    shipped = net.open_net()
    odds = [shipped.odds(p.before, p.after)[0] for p in asked]
    told = promotion.figures(odds, [p.new for p in asked])
    assert told.pixel_f1 > 0.6
    assert told.objects > 0.6
    exchanged = promotion.figures([odd[::-1] for odd in odds], [p.new for p in asked])  # the twin: the wrong way up
    assert exchanged.pixel_f1 < 0.4


def test_nothing_changed_is_nothing_flagged_and_invalid_pixels_are_silent():
    still = scenes.pair(77, size=130, kind="suburb").after
    answer = net.open_net().change(still, still, np.ones(still.shape[:2], bool))
    assert answer.shape == (130, 130)
    assert (answer > 0.5).mean() < 0.001
    assert not net.open_net().change(still, still[::-1], np.zeros(still.shape[:2], bool)).any()


@pytest.mark.parametrize(
    ("harm", "code"),
    [
        ("missing", "weights_missing"),
        ("changed", "weights_mismatch"),
        ("no_sum", "weights_missing"),
        ("not_onnx", "weights_unusable"),
    ],
)
def test_weights_that_are_not_its_own_are_refused_with_a_code(tmp_path: Path, harm: str, code: str):
    import hashlib

    for name in (net.FILE, net.FILE + ".sha256", net.CARD):
        shutil.copy(net.SHIPPED / name, tmp_path / name)
    assert net.weights_state(tmp_path).code == "ready"
    file = tmp_path / net.FILE
    if harm == "missing":
        file.unlink()
    elif harm == "changed":
        file.write_bytes(file.read_bytes()[:-1] + b"\0")
    elif harm == "no_sum":
        (tmp_path / (net.FILE + ".sha256")).unlink()
    else:
        file.write_bytes(b"no net")
        (tmp_path / (net.FILE + ".sha256")).write_text(hashlib.sha256(b"no net").hexdigest())
    with pytest.raises(net.WeightsError) as refused:
        net.open_net(tmp_path)
    assert refused.value.code == code


def test_the_card_names_the_weights_that_ship():
    state = net.weights_state()
    assert state.ok
    assert state.card["sha256"] == state.sha256
    assert (net.SHIPPED / net.FILE).stat().st_size <= net.MOST_BYTES


def test_the_shipped_net_answers_one_seeded_tile_as_it_did_when_it_was_made():
    tile = scenes.pair(900_001, size=192, gsd=0.4)
    new, gone = net.open_net().odds(tile.before, tile.after)
    assert (float(new.mean()), float(gone.mean())) == pytest.approx((0.2903, 0.0), abs=0.01)
    assert new[tile.new].mean() == pytest.approx(0.968, abs=0.02)
    assert new[~tile.new].mean() == pytest.approx(0.051, abs=0.02)


def test_a_candidate_that_is_worse_on_either_set_or_was_hardly_tried_is_not_promoted():
    good, bad = promotion.Figures(0.8, 1, 1, 1, 9), promotion.Figures(0.78, 1, 1, 1, 9)
    assert promotion.gate(good, good, good, good, n_local=5).passed
    assert promotion.gate(good, bad, good, good, n_local=5).code == "worse_local"
    assert promotion.gate(good, good, good, bad, n_local=5).code == "worse_dev"
    assert promotion.gate(good, good, good, good, n_local=2).code == "too_few_local"


def test_a_week_in_the_shadow_then_in_use_then_rolled_back():
    passed, day = promotion.Verdict(True, "passed"), date(2026, 11, 1)
    shadowed = promotion.into_shadow(promotion.Versions("a"), "b", passed, day)
    assert promotion.after_shadow(shadowed, passed, date(2026, 11, 7)).champion == "a"
    taken = promotion.after_shadow(shadowed, passed, date(2026, 11, 8))
    assert (taken.champion, taken.shadow, promotion.roll_back(taken).champion) == ("b", "", "a")
    assert promotion.after_shadow(shadowed, promotion.Verdict(False, "worse_local"), date(2026, 11, 8)).champion == "a"


def test_calibration_rises_is_honest_on_average_and_waits_for_fifty_verdicts():
    rng = np.random.default_rng(3)
    scores = rng.random(2000)
    line = isotonic.fit(scores.tolist(), (rng.random(2000) < scores**2).tolist())
    told = line.apply(np.linspace(0, 1, 50))
    assert (np.diff(told) >= 0).all()
    assert abs(told - np.linspace(0, 1, 50) ** 2).mean() < 0.05
    few = isotonic.fit([0.2, 0.9], [False, True])
    assert not few.is_calibrated
    assert few.apply([0.3])[0] == 0.3


def with_torch(code: str, folder: Path) -> list[float]:
    """The numbers that a Python with torch prints."""
    python = TORCH or (sys.executable if importlib.util.find_spec("torch") else "")
    if not python or not Path(python).exists():
        pytest.skip("no torch here: TORCH_PYTHON names no Python that has it")
    root = Path(__file__).resolve().parents[3]
    words = [python, "-c", code, str(folder)]
    done = subprocess.run(words, cwd=root, capture_output=True, text=True, timeout=300, check=True)
    return [float(word) for word in done.stdout.split()]


def test_the_net_that_ships_read_back_to_go_on_learning_answers_as_it_ships_and_the_twin_that_learnt_nothing_does_not(
    tmp_path: Path,
):
    code = (
        "import sys, numpy as np, torch; from pathlib import Path; torch.set_num_threads(1)\n"
        "from jiequ.sense.engine import net, scenes\n"
        "from jiequ.sense.training import data, model, shipped\n"
        "about, tile = data.synthetic(Path(sys.argv[1]) / 'pairs', 8, [], 3), scenes.pair(900_001, size=192, gsd=0.4)\n"
        "one, two = (torch.from_numpy(x.transpose(2, 0, 1)[None].copy()).float() for x in (tile.before, tile.after))\n"
        "for again in (shipped.from_onnx(None, about), model.ChangeNet()):\n"
        "    with torch.no_grad():\n"
        "        told = torch.sigmoid(again.eval()(one, two))[0].numpy()\n"
        "    print(np.abs(told - net.open_net().odds(tile.before, tile.after)).mean())\n"
    )
    read_back, untaught = with_torch(code, tmp_path)
    assert read_back < 0.01 < 0.1 < untaught


def test_twenty_steps_of_real_training_lower_the_loss(tmp_path: Path):
    code = (
        "import sys, torch; from pathlib import Path; torch.set_num_threads(1)\n"
        "from jiequ.sense.training import data, train\n"
        "pairs = data.synthetic(Path(sys.argv[1]) / 'pairs', 8, [], 3)\n"
        "for rate in (6e-3, 0.0):\n"
        "    plan = train.Plan(steps=20, batch=4, side=64, seed=3, rate=rate)\n"
        "    t, batch = train.Training(plan), next(train.batches(pairs, plan, 0))\n"
        "    told = [t.learn(*batch) for _ in range(20)]\n"
        "    print(told[-1] / told[0])\n"
    )
    learnt, broken = with_torch(code, tmp_path)  # the twin learns at a rate of nothing
    assert learnt < 0.85 < broken
