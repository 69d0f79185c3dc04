"""The process of live events, as ``serve`` starts it: one ASGI worker."""

from __future__ import annotations

import sys

from jiequ.web.cli.beside import serve


def main(words: list[str]) -> None:
    """Serve until SIGTERM."""
    serve(words, application="jiequ.web.live.asgi:application", interface="asgi", backlog=1024)


if __name__ == "__main__":
    main(sys.argv[1:])
