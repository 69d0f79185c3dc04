"""``./run demo``: an invented street on this computer, one click per role. No real data, no real settings."""

from __future__ import annotations

import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

from jiequ.web.cli import phones, ready
from jiequ.web.cli.serve import children, live_port, tiles_port
from jiequ.web.cli.supervisor import Child, Supervisor, stop_on_signals

FIRST_PAGE_WITHIN_SECONDS = 60
LOCAL = {"127.0.0.1", "localhost"}  # where the emulator listens
PHONES_PORT, LETTERS_PORT = 4, 5  # from the pages' port
PHONES_FILE = "emulator.json"
AT_ANY_HOUR = "00:00-23:59:59.999999"  # played residents sleep through nothing
IMAGERY_AFTER_SECONDS = 15.0
PAGES_FIRST_SECONDS = 3.0  # the seed's jobs would compete with the first page for two cores


def main(options: argparse.Namespace) -> int:
    """Migrate, seed, serve; print the addresses when the first page answers."""
    stop = stop_on_signals()
    if ready.is_taken(options.host, options.port):
        print(f"{options.host}:{options.port} is taken: stop what listens there, or ./run demo --port 8001", file=sys.stderr)
        return 1
    began = time.monotonic()
    options.workers, options.no_jobs = 2, False
    known = _settings(options)
    ready.set_up()
    if options.fresh:
        _throw_away()
    _prepare(has_year=not options.no_year)
    prepared = time.monotonic() - began
    announce = threading.Thread(target=_announce, args=(options, began, prepared, known, stop), daemon=True)
    announce.start()
    threading.Thread(target=_add_imagery, args=(stop,), daemon=True).start()
    web, *others = [*children(options), *_phones(options)]
    for child in others:
        child.start_after = time.monotonic() + PAGES_FIRST_SECONDS
    Supervisor([web, *others]).run(stop)
    return 0


def _settings(options: argparse.Namespace) -> dict[str, Any]:
    """Our settings, by the environment; returns the emulator's accounts, if the phones are played too."""
    root = Path(__file__).resolve().parents[3]
    address = f"http://{options.host}:{options.port}"
    os.environ["JIEQU_MODE"] = "demo"
    os.environ.setdefault("JIEQU_VAR", str(root / "var" / "demo"))
    os.environ.setdefault("JIEQU_BASE_URL", address)
    os.environ.setdefault("JIEQU_RESIDENT_HOURS", AT_ANY_HOUR)
    if port := live_port(options):
        os.environ.setdefault("JIEQU_LIVE_URL", f"http://{options.host}:{port}/live/stream")
    if options.tiles_port is None and not os.environ.get("JIEQU_TILES_PORT"):
        options.tiles_port = options.port + 2
    if port := tiles_port(options):
        os.environ.setdefault("JIEQU_TILES_URL", f"http://{options.host}:{port}/tiles/")
    if options.phones_port is None:
        options.phones_port = options.port + PHONES_PORT if phones.is_there() and options.host in LOCAL else 0
    if options.phones_port and ready.is_taken("127.0.0.1", options.phones_port):
        print(f"127.0.0.1:{options.phones_port} is taken: no phones this time; --phones-port N gives them another port.")
        options.phones_port = 0
    if not options.phones_port:
        return {}
    os.environ.setdefault("JIEQU_CALLBACKS_PORT", "0")  # six phones: the pages' own processes answer them
    known = phones.accounts()
    os.environ.update(phones.settings_for(known, _emulator(options)), JIEQU_PHONES_URL=f"{_emulator(options)}/phones/")
    os.environ.update(phones.write_sms_templates(Path(os.environ["JIEQU_VAR"])), JIEQU_MAIL_PORT=str(_letters_port(options)))
    return known


def _emulator(options: argparse.Namespace) -> str:
    return f"http://127.0.0.1:{options.phones_port}"


def _letters_port(options: argparse.Namespace) -> int:
    return int(options.port + LETTERS_PORT)


def _phones(options: argparse.Namespace) -> list[Child]:
    from django.conf import settings

    if not options.phones_port:
        return []
    file, letters = settings.VAR / PHONES_FILE, _letters_port(options)
    return [phones.child(options.phones_port, smtp_port=letters, product=settings.BASE_URL, file=file)]


def _throw_away() -> None:
    """Only what a demo made: its database has a name of its own."""
    from django.conf import settings

    for path in [*settings.VAR.glob("demo*.sqlite3*"), *settings.VAR.glob(PHONES_FILE)]:
        path.unlink()
    for folder in (settings.MEDIA_ROOT, settings.SENSE):
        shutil.rmtree(folder, ignore_errors=True)


def _prepare(*, has_year: bool) -> None:
    from django.core.management import call_command, get_commands
    from django.db import connections

    from jiequ.web.cli.migrate import migrate

    ready.make_var()
    if ready.pending_migrations():
        print("Making the database …", flush=True)
        migrate(verbosity=0)
    ready.collect_static_files()
    if "demo_seed" in get_commands():
        call_command("demo_seed", has_year=has_year)
    connections.close_all()


def _announce(options: argparse.Namespace, began: float, prepared: float, known: dict[str, Any], stop: threading.Event) -> None:
    """Ask for the first page until it answers, then say where everything is, and connect the phones."""
    address = f"http://{options.host}:{options.port}"
    give_up_at = time.monotonic() + FIRST_PAGE_WITHIN_SECONDS
    while not stop.is_set():
        try:
            with urllib.request.urlopen(address + "/", timeout=5):
                break
        except OSError as error:
            if time.monotonic() > give_up_at:
                print(f"The first page does not answer ({error}); the lines above say why.", flush=True)
                return
            time.sleep(0.1)
    installed = float(os.environ.get("JIEQU_INSTALL_SECONDS", "0"))
    served = time.monotonic() - began
    print(
        f"\nFirst page after {installed + served:.1f} s: download and install {installed:.1f}, "
        f"database and seed {prepared:.1f}, server {served - prepared:.1f}\n",
        flush=True,
    )
    for path, words in _pages():
        print(f"  {address}{path:<22} {words}", flush=True)
    print("\nCtrl-C stops everything.", flush=True)
    if known:
        _connect(_emulator(options), known["people"])


def _add_imagery(stop: threading.Event) -> None:
    """Install the extra ``imagery`` beside what runs, once the first page had its time: invented flights wait for it."""
    root = Path(__file__).resolve().parents[3]
    if importlib.util.find_spec("rasterio") is not None or not (root / "run").is_file() or stop.wait(IMAGERY_AFTER_SECONDS):
        return
    done = subprocess.run([sys.executable, root / "run", "sense", "check"], stdout=subprocess.DEVNULL, check=False)
    if done.returncode and not stop.is_set():
        print("\nThe imagery libraries could not be installed; the demonstration goes on without flights.", flush=True)


def _connect(emulator: str, people: list[dict[str, str]]) -> None:
    from django.db import connections

    from jiequ.channels.client import ApiError
    from jiequ.web.demo.phones import NotConnected, connect

    try:
        connect(emulator, people)
        print(
            f"\nSix phones, a resident's to the leader's, the whole story in WeChat  六部手机: {emulator}/phones/", flush=True
        )
    except (NotConnected, ApiError) as fault:
        print(f"\nThe phones are not connected: {fault}", flush=True)
    finally:
        connections.close_all()


def _pages() -> list[tuple[str, str]]:
    """The addresses worth opening, as far as this version has them."""
    from django.urls import NoReverseMatch, reverse

    found = []
    for name, words in (
        ("web:home", "start  首页"),
        ("people:sign_in", "sign in, one click per role  登录"),
        ("web:demo", "the guided story  河道堵塞导览"),
        ("cases:report", "report as a resident  居民上报"),
    ):
        try:
            found.append((reverse(name), words))
        except NoReverseMatch:
            continue
    return found
