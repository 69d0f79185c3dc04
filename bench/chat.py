"""A resident's yes in the chat, and how soon the leader's phone has the case: the whole way, through the emulator.

One server (two web workers, live events, the worker of jobs and arrivals), the emulator in a process of its own in WeChat's
place, open pages of leaders (待处理, as live.js keeps them). So many residents a minute write a sentence, send a place and
tap "确认提交"; the time counts from the tap (the moment the emulator is told of it) until the case's number stands in the row
that the leader's page fetched. Everybody has one report and one number, else it fails. ``--photos`` sends a photo too.
Options: ``--database sqlite|postgresql --reports 250 --per-minute 500 --pages 4``.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import psutil

from bench.database import begin, machine_line, on_each
from bench.live import answers, cpu_of, leaders, session_of
from bench.live_pages import Pages

ROOT = Path(__file__).resolve().parents[1]
TOKEN, KEY = "a-token-of-the-bench", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
BEFORE_PLACE, BEFORE_YES = 0.5, 2.0
GIVE_UP_SECONDS = 60.0
HALF_DEGREES = 0.15  # the grid is that wide to each side: more than fifteen reports an hour from one spot are looked at first


def main() -> int:
    """Both databases, or the one asked for."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--database", choices=["sqlite", "postgresql"])
    ask.add_argument("--reports", type=int, default=250)
    ask.add_argument("--per-minute", type=int, default=500)
    ask.add_argument("--pages", type=int, default=4)
    ask.add_argument("--photos", action="store_true")
    given = ask.parse_args()
    if not given.database:
        words = ["--reports", str(given.reports), "--per-minute", str(given.per_minute), "--pages", str(given.pages)]
        return on_each("bench.chat", [*words, *(["--photos"] if given.photos else [])])
    begin(given.database)
    return measure(given)


def measure(given: argparse.Namespace) -> int:
    """Start everything, play, and say how it went."""
    from emulator.scene import APPID, SECRET
    from tests.actors import make_world
    from tests.support.live import database_url, free_port, soon

    world = make_world()
    widen(world)
    sessions = [session_of(person) for person in leaders(world, given.pages)]
    port, played = free_port(), free_port()
    base = f"http://127.0.0.1:{played}"
    env = {**os.environ, "JIEQU_MODE": "test", "DATABASE_URL": database_url(), "JIEQU_LIVE_URL": ""}
    env |= {
        "JIEQU_WECHAT_APPID": APPID,
        "JIEQU_WECHAT_SECRET": SECRET,
        "JIEQU_WECHAT_TOKEN": TOKEN,
        "JIEQU_WECHAT_AES_KEY": KEY,
    }
    env |= {"JIEQU_WECHAT_API": base + "/api", "JIEQU_WECHAT_MP": base + "/mp", "JIEQU_BASE_URL": f"http://127.0.0.1:{port}"}
    quiet = {"cwd": ROOT, "env": env, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    cli = [sys.executable, "-m", "jiequ.web.cli"]
    platform = subprocess.Popen([*cli, "emulator", "--port", str(played), "--file", ""], **quiet)  # type: ignore[call-overload]
    server = subprocess.Popen([*cli, "serve", "--port", str(port), "--workers", "2"], **quiet)  # type: ignore[call-overload]
    try:
        soon(lambda: answers(port, "/healthz") and answers(port + 1, "/live/healthz"), within=120)
        soon(lambda: answers(played, "/_emu/clock"), within=60)
        return asyncio.run(play(given, world, base, port, sessions, server.pid))
    finally:
        for process in (server, platform):
            process.terminate()
            process.wait(30)


def widen(world: Any) -> None:
    """Grid a as a square of thirty kilometres, so that residents do not all stand on one spot."""
    from jiequ.core.ids import new_token
    from jiequ.grid.models import MapVersion, UnitGrid

    lon, lat = world.point_in("a")
    west, east, south, north = lon - HALF_DEGREES, lon + HALF_DEGREES, lat - HALF_DEGREES, lat + HALF_DEGREES
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    kept = UnitGrid.objects.get(pk=world.grid_a.pk).geometry
    shape = {**kept, "coordinates": [ring] if kept["type"] == "Polygon" else [[ring]]}
    UnitGrid.objects.filter(pk=world.grid_a.pk).update(geometry=shape)
    MapVersion.objects.filter(street_id=world.street.pk).update(token=new_token()[:32])


async def play(given: argparse.Namespace, world: Any, base: str, port: int, sessions: list[str], server: int) -> int:
    """Everybody follows first; then they report, evenly over the time."""
    from emulator.scene import APPID

    pages = Pages(port, sessions, ["leader"])
    await asyncio.to_thread(pages.opened)
    lon, lat = world.point_in("a")
    limits = httpx.Limits(max_connections=64)
    async with httpx.AsyncClient(base_url=base + "/_emu", timeout=60, trust_env=False, limits=limits) as phones:
        callback = {"url": f"http://127.0.0.1:{port}/callbacks/wechat/", "token": TOKEN, "aes_key": KEY, "mode": "secure"}
        (await phones.post(f"/accounts/{APPID}/server", json=callback)).raise_for_status()
        people = [f"b{n}" for n in range(given.reports)]
        for n, who in enumerate(people):
            at = {"lat": lat + (n % 25 - 12) * 0.01, "lon": lon + (n // 25 % 25 - 12) * 0.01, "label": f"路口{n}"}
            await phones.post("/people", json={"id": who, "name": who, "mobile": f"137{n:08d}", **at})
            await phones.post(f"/people/{who}/follow", json={})
        await phones.post("/settle")
        await asyncio.sleep(10)
        family = [psutil.Process(server), *psutil.Process(server).children(recursive=True)]
        used, began = cpu_of(family), time.monotonic()
        pace = 60 / given.per_minute
        until = began + len(people) * pace + BEFORE_PLACE + BEFORE_YES + 10
        hearing = asyncio.create_task(asyncio.to_thread(pages.seen, "nothing yet", give_up_at=until))  # else their pipe fills
        taps = await asyncio.gather(*(report(phones, who, began + n * pace, given.photos) for n, who in enumerate(people)))
        seconds = time.monotonic() - began
        await hearing
        openids = {who: (await phones.get(f"/people/{who}/phone")).json()["accounts"][0]["openid"] for who in people}
    numbers = await asyncio.to_thread(numbers_of, openids)
    used = cpu_of(family) - used
    sent = dict(zip(people, taps, strict=True))
    return await asyncio.to_thread(tell, given, pages, numbers, sent, used, seconds)


async def report(phones: httpx.AsyncClient, who: str, begins: float, with_photo: bool) -> float:
    """One resident: a sentence, a photo perhaps, a place, and the tap; when the tap was made."""
    await asyncio.sleep(max(0.0, begins - time.monotonic()))
    await phones.post(f"/people/{who}/say", json={"text": "河道被垃圾堵住了，有臭味"})
    if with_photo:
        from emulator.scene import picture

        kept = await phones.post(f"/people/{who}/photos", content=picture("blocked"), headers={"content-type": "image/jpeg"})
        await phones.post(f"/people/{who}/send_photo", json={"photo": kept.json()["photo"]})
    await asyncio.sleep(BEFORE_PLACE)
    await phones.post(f"/people/{who}/send_place", json={})
    await asyncio.sleep(BEFORE_YES)
    tapped = time.monotonic()
    await phones.post(f"/people/{who}/say", json={"text": "确认"})
    return tapped


def numbers_of(openids: dict[str, str]) -> dict[str, str]:
    """The number of everybody's report. Fails unless each has exactly one."""
    from django.conf import settings
    from django.utils import timezone

    from emulator.scene import APPID
    from jiequ.cases.models import Case
    from jiequ.channels.wechat.services import follower_of
    from jiequ.doors.chat.models import Draft

    settings.WECHAT_APPID = APPID
    deadline, found = time.monotonic() + GIVE_UP_SECONDS, {}
    while len(found) < len(openids) and time.monotonic() < deadline:
        time.sleep(1)
        found = dict(Draft.objects.filter(state="done").values_list("follower_id", "number"))
    followers = {who: follower_of(openid, at=timezone.now()).pk for who, openid in openids.items()}
    numbers = {who: found.get(follower, "") for who, follower in followers.items()}
    if len(set(numbers.values()) - {""}) != len(openids) or Case.objects.count() != len(openids):
        raise SystemExit(
            f"FAILED: {len(openids)} residents, {len(set(numbers.values()) - {''})} numbers, {Case.objects.count()} cases"
        )
    return numbers


def tell(
    given: argparse.Namespace, pages: Pages, numbers: dict[str, str], sent: dict[str, float], used: float, seconds: float
) -> int:
    """How long from tap to row. Fails if a page never saw one."""
    waits: list[float] = []
    for who, number in numbers.items():
        seen = pages.seen(number, give_up_at=time.monotonic() + 3)
        if len(seen) < len(pages):
            print(f"FAILED: {len(pages) - len(seen)} of {len(pages)} pages never saw {number}")
            return 1
        waits += [at - sent[who] for at in seen]
    cuts = statistics.quantiles(waits, n=100)
    print(machine_line())
    photo = "with a photo each" if given.photos else "without photos"
    print(
        f"{given.reports} reports at {given.per_minute} a minute {photo}, {len(pages)} leaders' pages, in {seconds:.0f} s: ",
        end="",
    )
    print(f"tap to row p50 {cuts[49]:.2f} s, p95 {cuts[94]:.2f} s, worst {max(waits):.2f} s")
    print(f"CPU of all server processes: {used / given.reports:.2f} s a report")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
