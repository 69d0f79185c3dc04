"""What comes in from WeChat: how soon a push is answered while everything else is slow, and that none is lost or doubled.

A server as installed (two web workers, and the process of callbacks) and a worker, whose every transaction of the main database
takes two seconds longer; ``--reporters`` programs report cases all the while. ``--messages`` messages are pushed, each three
times at the same moment, ``--rate`` pushes a second, signed and encrypted by the emulator's own code; the wait of each counts
from the moment it was due. Beside it: what the disk gives (fdatasync/s). Then the slowness ends and a worker hands everything
on. Before a figure counts: every push was answered ``success``, each message is stored once and has one effect.
``--through pages`` pushes to the pages' processes instead. Last: hostile XML and hostile links.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import psutil

from bench.database import begin, machine_line, on_each

ROOT = Path(__file__).resolve().parents[1]
TOKEN, KEY, APPID = "bench-token", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", "wxbench0000000001"
DELIVERIES, SENDERS, SLOW_SECONDS = 3, 500, 2.0
PATIENCE_SECONDS = 900
WARMING = 60


def main() -> int:
    """Both databases, or the one asked for. Fails if a message is lost or doubled."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--database", choices=["sqlite", "postgresql"])
    ask.add_argument("--messages", type=int, default=10_000)
    ask.add_argument("--rate", type=int, default=200)
    ask.add_argument("--reporters", type=int, default=4)
    ask.add_argument("--through", choices=["own", "pages"], default="own")
    given = ask.parse_args()
    if not given.database:
        words = [f"--{name}={getattr(given, name)}" for name in ("messages", "rate", "reporters", "through")]
        return on_each("bench.channels", words)
    begin(given.database)
    return callbacks(given) or hostile()


def callbacks(given: argparse.Namespace) -> int:
    """Push under load, then let everything be handed on."""
    from jiequ.web.cli.web import CALLBACKS
    from tests.actors import make_world
    from tests.casework import Casework, make_condition
    from tests.support.live import database_url, free_port, soon

    work = Casework(make_world(), make_condition())
    token = program_of(work)
    pages, own = free_port(), free_port()
    env = {**os.environ, "JIEQU_MODE": "test", "DATABASE_URL": database_url(), "JIEQU_LOG_LEVEL": "ERROR"}
    env |= {"JIEQU_WECHAT_APPID": APPID, "JIEQU_WECHAT_TOKEN": TOKEN, "JIEQU_WECHAT_AES_KEY": KEY}
    children = [
        start(env, "serve", str(pages), "2"),
        start({**env, "DJANGO_SETTINGS_MODULE": CALLBACKS}, "serve", str(own), "1"),
        start(env, "work"),
    ]
    stop = threading.Event()
    try:
        for port in (pages, own):
            soon(lambda port=port: answers(port), within=60)
        load = [threading.Thread(target=report, args=(pages, token, n, stop), daemon=True) for n in range(given.reporters)]
        for one in load:
            one.start()
        syncs = fdatasyncs()
        through = own if given.through == "own" else pages
        asyncio.run(push_all(through, WARMING, given.rate, first=10**6))
        server = psutil.Process(children[1 if given.through == "own" else 0].pid)
        used = cpu_of(server)
        waits, answered = asyncio.run(push_all(through, given.messages, given.rate))
        used = cpu_of(server) - used
    finally:
        stop.set()
        for child in children:
            child.terminate()
        for child in children:
            child.wait(60)
    print(machine_line())
    tell(given, waits, answered, syncs, used)
    return hand_on(env, given.messages + WARMING) if answered.get("200 success") == given.messages * DELIVERIES else 1


def cpu_of(process: psutil.Process) -> float:
    """Seconds of CPU that a server and its workers have used."""
    return sum(sum(one.cpu_times()[:2]) for one in (process, *process.children(recursive=True)))


def tell(given: argparse.Namespace, waits: list[float], answered: dict[str, int], syncs: float, used: float) -> None:
    cuts = statistics.quantiles(waits, n=1000)
    print(
        f"{given.messages:,} messages × {DELIVERIES} deliveries, {given.rate} pushes/s through {given.through} ports, "
        f"every transaction of the main database {SLOW_SECONDS:g} s slower, {given.reporters} reporters: "
        f"answered p50 {cuts[499] * 1000:.1f} ms, p99 {cuts[989] * 1000:.1f} ms, worst {max(waits) * 1000:.0f} ms; "
        f"CPU {used / len(waits) * 1000:.1f} ms a push; disk {syncs:.0f} fdatasync/s; answers {answered}"
    )


def program_of(work: Any) -> str:
    """A token to report with."""
    from jiequ.cases import services
    from tests.actors import NOW

    kind = {"name": "摄像头", "kind": "camera", "is_trusted": True}
    return services.make_system(street_id=work.world.street.pk, by=work.actor("xi"), at=NOW, **kind)[1]


def start(env: dict[str, str], *words: str) -> subprocess.Popen[bytes]:
    slow = {**env, "BENCH_SLOW_SECONDS": str(SLOW_SECONDS)}
    return subprocess.Popen([sys.executable, "-m", "bench.slow", *words], cwd=ROOT, env=slow)


def answers(port: int) -> bool:
    try:
        asked = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        asked.request("GET", "/healthz")
        return asked.getresponse().status == 200
    except OSError:
        return False


def report(port: int, token: str, who: int, stop: threading.Event) -> None:
    """A program that reports cases one after the other, whatever it is answered."""
    number = 0
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    while not stop.is_set():
        number += 1
        words = {"source_ref": f"b{who}-{number}", "words": "积水", "type": "0110", "lon": 113.5005, "lat": 23.1805}
        try:
            asked = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            asked.request("POST", "/api/v1/reports", json.dumps({**words, "system": "cgcs2000"}), headers)
            asked.getresponse().read()
        except OSError:
            stop.wait(0.2)


def fdatasyncs(seconds: float = 2.0) -> float:
    """How many small writes a second the disk beside the database makes durable."""
    from django.conf import settings

    file = Path(settings.VAR) / "syncs"
    descriptor, count, until = os.open(file, os.O_WRONLY | os.O_CREAT), 0, time.monotonic() + seconds
    while time.monotonic() < until:
        os.pwrite(descriptor, b"x" * 4096, 4096 * (count % 256))
        os.fdatasync(descriptor)
        count += 1
    os.close(descriptor)
    file.unlink()
    return count / seconds


# -- pushing -----------------------------------------------------------------------------------------------------------


async def push_all(port: int, messages: int, rate: int, *, first: int = 0) -> tuple[list[float], dict[str, int]]:
    """Three deliveries of each message at the same moment, so many pushes a second; how long each waited, and the answers."""
    waits: list[float] = []
    answered: dict[str, int] = {}
    began, pushes = time.monotonic() + 0.5, []
    pool: asyncio.LifoQueue[Any] = asyncio.LifoQueue()
    for number in range(messages):
        due = began + number * DELIVERIES / rate
        if due > time.monotonic():
            await asyncio.sleep(due - time.monotonic())
        for _copy in range(DELIVERIES):
            pushes.append(asyncio.create_task(deliver(pool, port, request_of(first + number), due, waits, answered)))
        if len(pushes) > 3000:
            await asyncio.gather(*pushes[:1500])
            del pushes[:1500]
    await asyncio.gather(*pushes)
    return waits, answered


def request_of(number: int) -> bytes:
    """One signed and encrypted push, as bytes of HTTP: each delivery has a nonce of its own."""
    from emulator import envelope
    from emulator.envelope import Target

    now = time.time()
    fields = {"ToUserName": "gh_1", "FromUserName": f"o{number % SENDERS}", "CreateTime": int(now), "MsgType": "text"}
    query, body = envelope.sealed(
        Target("", TOKEN, KEY, APPID, "secure", openid=f"o{number % SENDERS}"),
        {**fields, "Content": "河道堵了，有很多垃圾", "MsgId": 10**17 + number},
        now=now,
    )
    data = body.encode()
    head = f"POST /callbacks/wechat/?{urlencode(query)} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/xml\r\n"
    return f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data


async def deliver(
    pool: asyncio.LifoQueue[Any], port: int, data: bytes, due: float, waits: list[float], answered: dict[str, int]
) -> None:
    word = ""
    while not word:
        is_used = not pool.empty()
        pair = pool.get_nowait() if is_used else await asyncio.open_connection("127.0.0.1", port)
        try:
            word = await ask(*pair, data)
            pool.put_nowait(pair)
        except (OSError, asyncio.IncompleteReadError) as fault:
            pair[1].close()
            word = "" if is_used else type(fault).__name__  # a kept connection may have been closed: any client asks again
    waits.append(time.monotonic() - due)
    answered[word] = answered.get(word, 0) + 1


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, data: bytes) -> str:
    """Status and body of one answer."""
    writer.write(data)
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = next(int(line.split(":")[1]) for line in head.splitlines() if line.lower().startswith("content-length"))
    return f"{head.split()[1]} {(await reader.readexactly(length)).decode()}"


# -- what became of it ---------------------------------------------------------------------------------------------------


def hand_on(env: dict[str, str], messages: int) -> int:
    """A worker at its usual speed; every message is stored once and has one effect."""
    from django.db import connections

    from jiequ.channels.arrivals.models import Arrival, Mark, State
    from jiequ.core.models import Counter

    connections.close_all()
    began, waiting = time.monotonic(), Arrival.objects.filter(state=State.WAITING)
    before = waiting.count()
    quick = subprocess.Popen([sys.executable, "-m", "bench.slow", "work"], cwd=ROOT, env={**env, "BENCH_SLOW_SECONDS": "0"})
    try:
        while waiting.exists() and time.monotonic() - began < PATIENCE_SECONDS:
            time.sleep(0.5)
    finally:
        quick.terminate()
        quick.wait(60)
    effects = dict(Counter.objects.filter(name__startswith="effect-").values_list("name", "value"))
    states = {state: Arrival.objects.filter(state=state).count() for state in State}
    doubled = [name for name, times in effects.items() if times != 1]
    speed = (before - waiting.count()) / (time.monotonic() - began)
    print(
        f"stored {Arrival.objects.count():,}, effects {len(effects):,}, doubled {len(doubled)}, lost {messages - len(effects)}",
        end="",
    )
    print(f", marks {Mark.objects.count():,}, {dict(states)}; one worker then handed on {speed:.0f} messages/s")
    return int(bool(doubled) or len(effects) != messages or states[State.DONE] != messages)


# -- hostile -------------------------------------------------------------------------------------------------------------

LINKS = (
    "http://127.0.0.1:{port}/p.jpg", "http://127.1:{port}/", "http://2130706433:{port}/", "http://[::ffff:127.0.0.1]:{port}/",
    "http://169.254.169.254/latest/meta-data", "https://10.0.0.1/", "http://qpic.cn@127.0.0.1:{port}/", "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/", "http://localhost:{port}/", "https://mmbiz.qpic.cn:{port}@127.0.0.1/", "http://0.0.0.0:{port}/",
)  # fmt: skip


def hostile() -> int:
    """XML of RELIABILITY row 14 in a process of its own, links of row 17 against a listening server: leaked, reached, cost."""
    from django.conf import settings

    from jiequ.channels.wechat.services import media
    from tests.support.receiver import receiver

    found = json.loads(
        subprocess.run(
            [sys.executable, "-m", "tests.hostile.xml_worker", "ours"], cwd=ROOT, check=True, capture_output=True
        ).stdout
    )
    slowest = 0.0
    settings.WECHAT_PICTURE_HOSTS = [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "::ffff:127.0.0.1",
        "169.254.169.254",
        "10.0.0.1",
        "0.0.0.0",
    ]
    with receiver() as told:
        for link in LINKS:
            began = time.perf_counter()
            media._by_address(link.format(port=urlsplit(told.url).port))
            slowest = max(slowest, time.perf_counter() - began)
        reached = len(told.calls)
    print(
        f"hostile XML: {len(found['outcomes'])} documents, {len(found['leaks'])} leaks, "
        f"RSS rise {found['rise_kb'] / 1024:.2f} MB, slowest {found['slowest_seconds'] * 1000:.1f} ms; "
        f"hostile links: {len(LINKS)}, reached {reached}, slowest {slowest * 1000:.0f} ms"
    )
    return int(bool(found["leaks"]) or bool(reached))


if __name__ == "__main__":
    sys.exit(main())
