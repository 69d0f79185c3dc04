"""Runs one command: ``python -m jiequ.web.cli COMMAND``."""

from __future__ import annotations

import importlib
import os
import sys

from jiequ.web.cli import envfile
from jiequ.web.cli.options import COMMANDS, parse


def main(arguments: list[str] | None = None) -> int:
    """The exit status: 0 done, 1 a fault was found or told, 2 wrong use."""
    options = parse(sys.argv[1:] if arguments is None else arguments, os.environ.get("JIEQU_PROGRAM", "jiequ"))
    command = COMMANDS[options.command]
    try:
        if options.command == "init" and (options.example or options.settings):
            os.environ.setdefault("JIEQU_MODE", "development")  # writes a file; there may be no settings yet
        return int(_run(command.module, options, command.is_production) or 0)
    except KeyboardInterrupt:
        return 130


def _run(module: str, options: object, is_production: bool) -> int:
    """A command on a real installation takes its settings and refuses, in a sentence, what they lack."""
    if not is_production:
        return int(importlib.import_module(module).main(options) or 0)
    try:
        if os.environ.get("JIEQU_MODE") not in {"demo", "test"}:
            envfile.load()
    except (OSError, ValueError) as fault:
        print(f"The settings file cannot be read: {fault}", file=sys.stderr)
        return 1
    os.environ.setdefault("JIEQU_MODE", "production")
    from django.core.exceptions import ImproperlyConfigured

    from jiequ.web.cli import ready

    try:
        ready.set_up()
        return int(importlib.import_module(module).main(options) or 0)
    except ImproperlyConfigured as fault:
        print(fault, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
