"""Every command and its options. Python's standard library only: ``./run`` reads this before anything is installed."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from datetime import date
from typing import Any


@dataclass(frozen=True)
class Command:
    """``module`` has ``main(options) -> int``; ``installs`` names the lock it needs ("core", "imagery" or "test").

    ``is_production``: it works on a real installation, with the settings of that; ``knows_demo``: without any, on the demo's.
    """

    module: str
    help: str
    installs: str = "core"
    is_production: bool = True
    knows_demo: bool = False


COMMANDS = {
    "demo": Command("jiequ.web.cli.demo", "install, migrate, seed an invented street and serve it", is_production=False),
    "test": Command("tests.suite", "run the whole suite on SQLite and on PostgreSQL", "test", False),
    "init": Command("jiequ.web.cli.init", "load the district, its streets, departments and people from a workbook"),
    "import": Command("jiequ.web.cli.orders", "take in another system's orders from a CSV, XLSX or JSON file"),
    "hotline": Command("jiequ.web.cli.hotline", "take a 12345 hotline's files: orders, answers, call-backs"),
    "emulator": Command("emulator.command", "play WeChat, WeCom, SMS and mail, with phones", is_production=False),
    "serve": Command("jiequ.web.cli.serve", "serve the pages and work the jobs; restarts what dies"),
    "jobs": Command("jiequ.web.cli.jobs", "work the jobs only (serve does this too)"),
    "migrate": Command("jiequ.web.cli.migrate", "bring the database to this version"),
    "backup": Command("jiequ.web.cli.backup", "copy the database and the pictures to a dated folder"),
    "restore": Command("jiequ.web.cli.restore", "put a backup into an empty place and prove it whole"),
    "triage": Command("jiequ.web.cli.triage", "fit the suggestions anew, say how they do, try a sentence", knows_demo=True),
    "sense": Command(
        "jiequ.web.cli.sense", "imagery: take in a folder, compare two dates, train the net", "imagery", knows_demo=True
    ),
    "wechat": Command("jiequ.web.cli.wechat", "ask the official account, push its menus, read its templates"),
    "check": Command("jiequ.web.cli.check", "say in plain words what is wrong with this installation"),
    "bench": Command("bench", "measure: one file of bench/ by name", "test", False),
    "messages": Command("tests.repo.messages", "compile the texts; list or add the missing ones", "test", False),
    "lint": Command("tests.lint", "ruff, mypy and the floors of the house", "test", False),
    "lock": Command("tests.lock", "write the locks anew from pyproject.toml", "test", False),
}


def parser(program: str = "./run") -> argparse.ArgumentParser:
    """All commands, each with ``--help``."""
    top = argparse.ArgumentParser(prog=program, description="街区 Jiequ. Start with: %(prog)s demo")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        sub = commands.add_parser(name, help=command.help, description=command.help.capitalize() + ".")
        OPTIONS.get(name, _none)(sub)
    return top


def parse(arguments: list[str], program: str = "./run") -> argparse.Namespace:
    """The options. What follows our own ones of ``test`` and ``bench`` is for pytest or the benchmark, dashes and all."""
    head, rest = list(arguments), []
    if head[:1] in (["test"], ["bench"]):
        end = 1
        while end < len(head) and head[end] in ("-h", "--help", "--fast", "--database", "--costs"):
            end += 2 if head[end] in ("--database", "--costs") else 1
        head, rest = head[:end], head[end:]
    options = parser(program).parse_args(head)
    options.rest = rest
    return options


def _file(given: str) -> str:
    """A file or folder as it was meant where the command was called: ``./run`` works in the repository's own folder."""
    return os.path.join(os.environ.get("JIEQU_CALLED_FROM") or os.getcwd(), given)


def _day(given: str) -> date:
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{given!r} is no day; write it as 2026-11-27") from None


def _none(sub: argparse.ArgumentParser) -> None:
    pass


def _address(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    sub.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")), help="port (%(default)s; or PORT)")
    sub.add_argument(
        "--tiles-port", type=int, help="port of map tiles (JIEQU_TILES_PORT; else port + 2 if JIEQU_TILES_URL is set; 0: none)"
    )
    sub.add_argument("--live-port", type=int, help="port of live events (port + 1; or JIEQU_LIVE_PORT; 0: none)")


def _demo(sub: argparse.ArgumentParser) -> None:
    _address(sub)
    sub.add_argument("--phones-port", type=int, help="port of the phones in WeChat, played here (port + 4; 0: none)")
    sub.add_argument("--fresh", action="store_true", help="throw the demo's data away first")
    sub.add_argument("--no-year", action="store_true", help="without the invented year: street and people, no case")


def _emulator(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--port", type=int, default=8140, help="port on 127.0.0.1 (%(default)s)")
    sub.add_argument("--smtp-port", type=int, default=0, help="port of its mail server (0: any)")
    sub.add_argument("--product", default="http://127.0.0.1:8000", help="what the phones open (%(default)s)")
    sub.add_argument("--file", default="var/emulator.json", help="keeps accounts and chats (%(default)s; empty: none)")
    sub.add_argument("--fresh", action="store_true", help="throw what is kept away first")


def _serve(sub: argparse.ArgumentParser) -> None:
    _address(sub)
    sub.add_argument("--workers", type=int, default=0, help="web workers (0: as many as cores, 2 to 8)")
    sub.add_argument("--no-jobs", action="store_true", help="the jobs are worked by another process or machine")


def _test(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--fast", action="store_true", help="SQLite only, without lint, types and browser")
    sub.add_argument("--database", choices=["sqlite", "postgresql"], help="only this one, without lint and types")
    sub.add_argument("--costs", metavar="DIR", type=_file, help="write the cost of each test there (CSV)")
    sub.add_argument("rest", nargs="*", help="paths and options for pytest")


def _init(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("workbook", nargs="?", type=_file, help="an XLSX file; see --example")
    sub.add_argument("--example", metavar="FILE", type=_file, help="write an example workbook to fill in")
    sub.add_argument("--check", action="store_true", help="read and check the workbook, store nothing")
    sub.add_argument("--settings", metavar="FILE", type=_file, help="write a settings file with fresh secrets")
    sub.add_argument("--code", metavar="USERNAME", help="print a one-time code for one who lost password and second factor")


def _import(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("what", choices=["orders"], help="orders: work orders, each becomes a case once")
    sub.add_argument("file", metavar="FILE", type=_file, help="CSV (UTF-8 or GB18030), XLSX, a JSON array, or JSON lines")
    task = sub.add_mutually_exclusive_group(required=True)
    task.add_argument("--map", metavar="MAP.toml", type=_file, help="which column is what, and what their words mean here")
    task.add_argument("--draft", metavar="MAP.toml", type=_file, help="write a first map from the file, to be edited")
    sub.add_argument("--check", action="store_true", help="read and look everything up, store nothing")
    sub.add_argument(
        "--rejects", metavar="FILE", type=_file, help="where rows go that could not be taken, with why (FILE.rejects.csv)"
    )
    sub.add_argument("--street", metavar="CODE", help="nine digits: for rows whose street is not known")
    sub.add_argument(
        "--open",
        choices=["keep", "start-clocks", "skip"],
        default="keep",
        help="orders not closed yet: wait at the desk without a clock (%(default)s), enter the loop now, or be left out",
    )
    sub.add_argument(
        "--create-units",
        action="store_true",
        help="make a department of each unit that is not known (asks first); departments only: unknown types and communities "
        "wait on the review page, communities come with the grids, streets from ./run init",
    )
    sub.add_argument("--yes", action="store_true", help="do not ask")


def _hotline(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("what", choices=["take"], help="take: read files once, then move them to taken or rejects")
    sub.add_argument("path", metavar="DIR|FILE", type=_file, help="a file, or a folder with an 'in' folder")
    sub.add_argument("--source", metavar="NAME", required=True, help="the hotline's code name (gz)")


def _jobs(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--once", action="store_true", help="work what is due now, then stop")
    sub.add_argument("--dead", action="store_true", help="list the jobs that were given up")
    sub.add_argument("--revive", type=int, metavar="ID", help="try a job that was given up again")


def _migrate(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--plan", action="store_true", help="only say what would be done")


def _backup(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--to", metavar="FOLDER", type=_file, help="where the dated folders lie (JIEQU_BACKUPS)")
    sub.add_argument("--keep", type=int, default=0, metavar="N", help="remove all but the newest N (0: keep all)")


def _restore(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("backup", type=_file, help="one dated folder made by backup")


def _check(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("what", nargs="?", choices=["configuration", "audit", "rollups"], default="configuration")
    sub.add_argument("--repair", action="store_true", help="rollups: put right what differs from a recount")


def _wechat(sub: argparse.ArgumentParser) -> None:
    sub.add_argument(
        "what", choices=["check", "menu", "templates"], help="does it answer; tell it our menus; read its templates"
    )


def _bench(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("rest", nargs="*", help="NAME and its options; none: list the names")


def _messages(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--missing", action="store_true", help="print the texts without English, by app")
    sub.add_argument("--add", action="store_true", help="append them to the catalogues, to be filled in")


def _lint(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--fix", action="store_true", help="mend what ruff can mend")


def _lock(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--upgrade", action="store_true", help="take the newest releases that pyproject.toml admits")


def _triage(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("what", choices=["train", "evaluate", "predict"], help="learn now; cards and weeks; suggest for words")
    sub.add_argument("words", nargs="*", help="predict: a resident's words (none: one report a line from standard input)")


def _sense(sub: argparse.ArgumentParser) -> None:
    tasks = sub.add_subparsers(dest="what", metavar="TASK", required=True)
    ingest = tasks.add_parser("ingest", help="take in every photo and GeoTIFF under a folder")
    ingest.add_argument("folder", metavar="DIR", type=_file)
    day: dict[str, Any] = {"metavar": "YYYY-MM-DD", "type": _day}
    ingest.add_argument("--flown", **day, help="the day of the flight, for files that do not tell theirs")
    ingest.add_argument("--flight", metavar="NAME", help="the flight's name (the folder's)")
    ingest.add_argument("--kind", choices=["photo", "ortho", "dsm", "snapshot"], help="what they are (else told by content)")
    compare = tasks.add_parser("compare", help="compare a monitoring point's two dates, or the newest two of every point")
    compare.add_argument("--before", **day, help="the earlier date (the last but one)")
    compare.add_argument("--after", **day, help="the later date (the last)")
    compare.add_argument("--dask", metavar="ADDRESS", help="scheduler whose workers do it (none: processes of this machine)")
    for task in (ingest, compare):
        task.add_argument("--street", metavar="CODE", help="nine digits (the first street)")
        task.add_argument("--point", metavar="CODE", help="a monitoring point")
    train = tasks.add_parser("train", help="train the change net, where a Python with torch is named")
    train.add_argument("rest_of", nargs="*", metavar="OPTIONS", help="of jiequ.sense.training.train, after --")
    tasks.add_parser("check", help="install what is needed, say whether the net can be used")


OPTIONS = {
    "demo": _demo,
    "emulator": _emulator,
    "serve": _serve,
    "test": _test,
    "init": _init,
    "import": _import,
    "hotline": _hotline,
    "jobs": _jobs,
    "migrate": _migrate,
    "backup": _backup,
    "restore": _restore,
    "triage": _triage,
    "sense": _sense,
    "wechat": _wechat,
    "check": _check,
    "bench": _bench,
    "messages": _messages,
    "lint": _lint,
    "lock": _lock,
}
