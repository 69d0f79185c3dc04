"""``./run emulator``: the emulator alone, with its page of phones. Its options stand in ``jiequ/web/cli/options.py``."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from emulator import scene
from emulator.app import Emulator
from emulator.running import running


def main(options: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM."""
    file = Path(options.file) if options.file else None
    if file:
        file.parent.mkdir(parents=True, exist_ok=True)
        if options.fresh:
            file.unlink(missing_ok=True)
    try:
        asyncio.run(_serve(options, file))
    except OSError as fault:
        print(f"The emulator cannot listen: {fault}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


async def _serve(options: argparse.Namespace, file: Path | None) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    emu = Emulator(file=file)
    if not emu.state.people:
        scene.play(emu.state, product=options.product)
    async with running(emu, port=options.port, smtp_port=options.smtp_port) as (server, mails):
        print(f"Phones: http://127.0.0.1:{server.port}/phones/   mail: 127.0.0.1:{mails.port}", flush=True)  # noqa: T201
        await stop.wait()
