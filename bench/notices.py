"""Notices through the outbox: one worker, a provider that answers in 50 ms; how many a second, and at what CPU a notice.

The emulator plays the provider in a process of its own; the worker is ``./run jobs`` as installed. Half the cases have several
notices, so that order within a case can be checked. Before a figure counts: every notice has gone out, each once, in order, and
stands as sent. ``--kills``: what is lost or doubled when the worker is killed all the while (bench/notices_killed.py).
Options: ``--database sqlite|postgresql --notices 2000 --kills``.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import httpx
import psutil

from bench.database import begin, machine_line, on_each
from emulator.testing import Strings

ROOT = Path(__file__).resolve().parents[1]
ANSWER_SECONDS = 0.05
PATIENCE_SECONDS = 300
FORMS = """
sign = "鹭港街道"
[resident]
code = "SMS_1"
with = { number = "number" }
"""


def main() -> int:
    """Both databases, or the one asked for. Fails if one is lost, doubled, or out of order."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--database", choices=["sqlite", "postgresql"])
    ask.add_argument("--notices", type=int)
    ask.add_argument("--kills", action="store_true")
    given = ask.parse_args()
    count = given.notices or (10_000 if given.kills else 2000)
    if not given.database:
        return on_each("bench.notices", ["--notices", str(count), *(["--kills"] if given.kills else [])])
    begin(given.database)
    return measure(count, with_kills=given.kills)


def measure(count: int, *, with_kills: bool = False) -> int:
    """Plant, let one worker work, or one after the other, compare with what the provider took."""
    from tests.actors import make_world
    from tests.support.live import database_url, free_port, soon

    world, port = make_world(), free_port()
    base = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as folder:
        (forms := Path(folder) / "sms.toml").write_text(FORMS, encoding="utf-8")
        env = {**os.environ, "JIEQU_MODE": "test", "DATABASE_URL": database_url(), "JIEQU_LOG_LEVEL": "WARNING"}
        env |= {"JIEQU_SMS_PORTS": "aliyun", "JIEQU_SMS_API": f"{base}/sms", "JIEQU_SMS_TEMPLATES": str(forms)}
        env |= {"JIEQU_SMS_KEY_ID": "LTAIemulator", "JIEQU_SMS_KEY_SECRET": "s" * 30, "JIEQU_SMS_A_MINUTE": "1000000"}
        words = [
            sys.executable,
            "-m",
            "jiequ.web.cli",
            "emulator",
            "--port",
            str(port),
            "--smtp-port",
            str(free_port()),
            "--file",
            "",
        ]
        provider = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            soon(lambda: _is_up(base), within=60)
            _ask(base, "/sms", templates={"SMS_1": "${number}"}, a_minute=100, an_hour=100, a_day=100, signs=["鹭港街道"])
            _ask(base, "/faults", kind="latency", where="/sms/", times=10**9, seconds=ANSWER_SECONDS)
            _ask(base, "/settings", status_after=3600)
            if with_kills:
                from bench import notices_killed

                return notices_killed.measure(world, Strings(base, 0), env, count)
            keys = plant(world, count)
            return run(env, base, keys)
        finally:
            provider.terminate()
            provider.wait(30)


def plant(world: Any, count: int) -> dict[str, str]:
    """Urgent notices to as many phones; about of each key, in the order in which they are to arrive."""
    from jiequ.channels import services
    from jiequ.channels.services import Notice, seal_phone
    from jiequ.core import clock
    from jiequ.core.db import writing

    at, keys = clock.now(), {}
    notices = []
    for n in range(count):
        about = f"case:{n if n % 2 else n // 8 * 8}"
        facts = {"number": f"LG-2026-{n:06d}", "type": "河道堵塞"}
        sealed = seal_phone(f"139{n:08d}")
        keys[f"n{n}"] = about
        notices.append(
            Notice(
                "reporter_accepted", facts, about, f"n{n}", to_phone_sealed=sealed, is_urgent=True, street_id=world.street.pk
            )
        )
    for start in range(0, count, 100):
        with writing():
            services.send(notices[start : start + 100], at=at)
    return keys


def run(env: dict[str, str], base: str, keys: dict[str, str]) -> int:
    """One worker from start to the last notice; rate from the first notice that went out to the last."""
    from jiequ.channels.models import Message

    worker = psutil.Popen([sys.executable, "-m", "jiequ.web.cli", "jobs"], cwd=ROOT, env=env, stdout=subprocess.DEVNULL)
    try:
        first = last = spent = 0.0
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            left = Message.objects.exclude(state="sent").count()
            if not first and left < len(keys):
                first, spent, begun = time.monotonic(), _cpu(worker), len(keys) - left
            if not left:
                last, spent = time.monotonic(), _cpu(worker) - spent
                break
            time.sleep(0.05)
    finally:
        worker.terminate()
        worker.wait(30)
    faults = compare(base, keys)
    if faults or not last:
        print(f"FAILED: {faults or 'not all went out in time'}")
        return 1
    done = len(keys) - begun
    print(
        f"notices: {len(keys)} to a provider that answers in {ANSWER_SECONDS * 1000:.0f} ms, one worker: "
        f"{done / (last - first):.0f}/s, {spent / done * 1000:.1f} ms CPU a notice; lost 0, twice 0, out of order 0"
    )
    print(machine_line())
    return 0


def compare(base: str, keys: dict[str, str]) -> str:
    """What is wrong with what the provider took; empty: nothing."""
    taken = [row["out_id"] for row in httpx.get(base + "/_emu/sms", trust_env=False, timeout=60).json()]
    if lost := set(keys) - set(taken):
        return f"{len(lost)} lost"
    if len(taken) != len(keys):
        return f"{len(taken) - len(keys)} twice"
    by_case: dict[str, list[int]] = defaultdict(list)
    for key in taken:
        by_case[keys[key]].append(int(key[1:]))
    wrong = sum(numbers != sorted(numbers) for numbers in by_case.values())
    return f"{wrong} cases out of order" if wrong else ""


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _is_up(base: str) -> bool:
    try:
        return httpx.get(base + "/_emu/clock", trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def _ask(base: str, path: str, **given: Any) -> None:
    httpx.post(f"{base}/_emu{path}", json=given, trust_env=False, timeout=60).raise_for_status()


if __name__ == "__main__":
    raise SystemExit(main())
