"""Runs one command: ``python -m jiequ.web.cli COMMAND``."""

from __future__ import annotations

import importlib
import os
import sys

from jiequ.web.cli.options import COMMANDS, parser


def main(arguments: list[str] | None = None) -> int:
    """The exit status: 0 done, 1 a fault was found or told, 2 wrong use."""
    options = parser(os.environ.get("JIEQU_PROGRAM", "jiequ")).parse_args(arguments)
    command = COMMANDS[options.command]
    if command.needs_django:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "jiequ.web.settings")
        try:
            import django
            from django.core.exceptions import ImproperlyConfigured

            django.setup()
        except ImproperlyConfigured as fault:
            print(fault, file=sys.stderr)
            return 1
    try:
        return int(importlib.import_module(command.module).main(options) or 0)
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
