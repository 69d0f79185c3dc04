"""The process of map tiles, as ``serve`` starts it: one WSGI worker."""

from __future__ import annotations

import sys

from jiequ.web.cli.beside import serve

THREADS = 2


def main(words: list[str]) -> None:
    """Serve until SIGTERM."""
    serve(words, application="jiequ.web.tiles.wsgi:application", interface="wsgi", backlog=256, blocking_threads=THREADS)


if __name__ == "__main__":
    main(sys.argv[1:])
