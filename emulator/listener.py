"""A listening socket, and a task for each connection."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any


class Listener:
    """Listens on one address in the running loop. ``options`` are those of ``asyncio.start_server``."""

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, **options: Any) -> None:
        self.host, self.port = host, port
        self._options = options
        self._listener: asyncio.Server | None = None
        self._open: set[asyncio.Task[Any]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speak with one client until it is over; whoever listens says how. OSError ends it too."""
        raise NotImplementedError

    async def start(self) -> None:
        """Bind; ``port`` is the real one afterwards."""
        self._listener = await asyncio.start_server(self._connection, self.host, self.port, **self._options)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Refuse new connections and end the open ones."""
        if self._listener:
            self._listener.close()
            self._listener = None
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task:
            self._open.add(task)
        try:
            await self.serve(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            if task:
                self._open.discard(task)
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()
