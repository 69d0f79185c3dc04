"""A running emulator: the HTTP server, the mail server, and the saving of its state."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from emulator.app import Emulator
from emulator.mail import MailServer
from emulator.server import Server


@asynccontextmanager
async def running(emu: Emulator, *, port: int = 0, smtp_port: int = 0) -> AsyncIterator[tuple[Server, MailServer]]:
    """Listen on 127.0.0.1 while the block runs. The servers tell their ports."""
    server, mails = Server(emu, port=port), MailServer(emu, smtp_port)
    await server.start()
    await mails.start()
    emu.state.settings["base"] = f"http://127.0.0.1:{server.port}"
    saving = asyncio.ensure_future(emu.keep())

    async def refuse_for(seconds: float) -> None:
        async def close_and_open() -> None:
            await server.stop()
            await asyncio.sleep(seconds)
            await server.start()

        loop = asyncio.get_running_loop()
        loop.call_later(0.05, lambda: tasks.append(asyncio.ensure_future(close_and_open())))

    tasks: list[asyncio.Future[None]] = []
    emu.refuse_for = refuse_for
    try:
        yield server, mails
    finally:
        saving.cancel()
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await saving
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.stop()
        await mails.stop()
        await emu.close()
