"""Runs one command: ``python -m jiequ.web.cli COMMAND``."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

from jiequ.web.cli import envfile
from jiequ.web.cli.options import COMMANDS, Command, parse

ROOT = Path(__file__).resolve().parents[3]
NO_SETTINGS = "没有找到设置：请写在 jiequ.env，或用 JIEQU_ENV_FILE 指定 (no settings found, see docs/settings.md)。"
TRY_DEMO = "只想试试：先运行 ./run demo (or try it on the demo)。"


def main(arguments: list[str] | None = None) -> int:
    """The exit status: 0 done, 1 a fault was found or told, 2 wrong use."""
    options = parse(sys.argv[1:] if arguments is None else arguments, os.environ.get("JIEQU_PROGRAM", "jiequ"))
    command = COMMANDS[options.command]
    try:
        if options.command == "init" and (options.example or options.settings):
            os.environ.setdefault("JIEQU_MODE", "development")  # writes a file; there may be no settings yet
        return int(_run(command, options) or 0)
    except KeyboardInterrupt:
        return 130


def _run(command: Command, options: object) -> int:
    """A command on a real installation takes its settings and refuses, in a sentence, what they lack."""
    if not command.is_production:
        return int(importlib.import_module(command.module).main(options) or 0)
    try:
        is_set = os.environ.get("JIEQU_MODE") in {"demo", "test"} or envfile.load() is not None
    except (OSError, ValueError) as fault:
        print(f"The settings file cannot be read: {fault}", file=sys.stderr)
        return 1
    if not is_set and command.knows_demo and (var := envfile.take_demo(ROOT)):
        print(
            f"No settings found: working on the demonstration's data in {var}. 没有找到设置，用的是演示数据。", file=sys.stderr
        )
    os.environ.setdefault("JIEQU_MODE", "production")
    from django.core.exceptions import ImproperlyConfigured

    from jiequ.web.cli import ready

    try:
        ready.set_up()
        return int(importlib.import_module(command.module).main(options) or 0)
    except ImproperlyConfigured as fault:
        print(fault, file=sys.stderr)
        if not is_set:
            print(NO_SETTINGS + (TRY_DEMO if command.knows_demo else ""), file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
