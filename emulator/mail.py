"""An SMTP server that takes every letter and shows it; faults by ``smtp_faults`` of the settings.

No dependency: Python's own ``smtpd`` is gone since 3.12, and we want to break it on purpose.
"""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.policy
from email.message import EmailMessage
from typing import TYPE_CHECKING

from emulator import chat
from emulator.listener import Listener
from emulator.store import Mail

if TYPE_CHECKING:
    from emulator.app import Emulator

LARGEST = 10 * 1024 * 1024
WELCOME = "220 emulator ESMTP"


class MailServer(Listener):
    """A fault is ``{"at": "RCPT", "code": 550, "text": "no such user"}``; code 0 hangs up, -1 is silent."""

    def __init__(self, emu: Emulator, port: int = 0) -> None:
        super().__init__(port=port, limit=1 << 20)
        self._emu = emu

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A client; a line too long ends it."""
        with contextlib.suppress(asyncio.IncompleteReadError, ValueError):
            await Session(self._emu, reader, writer).run()


class Session:
    """One client."""

    def __init__(self, emu: Emulator, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._emu, self._reader, self._writer = emu, reader, writer
        self._sender, self._to = "", list[str]()

    async def run(self) -> None:
        """Until QUIT."""
        if not await self._say("CONNECT", WELCOME):
            return
        while line := (await self._reader.readline()).decode("utf-8", "replace").rstrip("\r\n"):
            verb = line.split(" ")[0].split(":")[0].upper()
            if verb == "QUIT":
                await self._say(verb, "221 bye")
                return
            if not await self._obey(verb, line):
                return

    async def _obey(self, verb: str, line: str) -> bool:
        if verb == "EHLO":
            return await self._say(verb, f"250-emulator\r\n250-SIZE {LARGEST}\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME")
        if verb == "AUTH":
            return await self._say(verb, "235 welcome") if line.upper().startswith("AUTH PLAIN ") else await self._login()
        if verb == "MAIL":
            self._sender, self._to = _address(line), []
        elif verb == "RCPT":
            if self._fault(verb, peek=True) is None:
                self._to.append(_address(line))
        elif verb == "DATA":
            return await self._data()
        elif verb == "RSET":
            self._sender, self._to = "", []
        elif verb not in ("HELO", "NOOP"):
            return await self._say(verb, "502 not implemented")
        return await self._say(verb, "250 ok")

    async def _login(self) -> bool:
        for asked in ("334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"):
            await self._say("LOGIN", asked)
            await self._reader.readline()
        return await self._say("AUTH", "235 welcome")

    async def _data(self) -> bool:
        if not self._to:
            return await self._say("DATA", "503 no receiver")
        is_wrong = self._fault("DATA", peek=True) is not None
        if not await self._say("DATA", "354 go on"):
            return False
        if is_wrong:
            return True
        raw = bytearray()
        while (line := await self._reader.readline()) != b".\r\n":
            if not line.endswith(b"\n"):  # cut off: no letter
                return False
            raw += line[1:] if line.startswith(b"..") else line
        fault = self._fault("END", peek=True)
        if fault is None or fault.get("after"):
            self._keep(bytes(raw))
        return await self._say("END", "250 taken")

    def _keep(self, raw: bytes) -> None:
        message = email.message_from_bytes(raw, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        body = message.get_body(("plain", "html"))
        text = str(body.get_content()).replace("\r\n", "\n") if body else ""
        mail = Mail(
            self._emu.clock.now(),
            self._sender,
            list(self._to),
            str(message["subject"] or ""),
            text,
            raw.decode("utf-8", "replace"),
        )
        self._emu.state.mails.append(mail)
        for person in self._emu.state.people.values():
            if person.mail and person.mail in mail.to:
                chat.add(
                    self._emu, person, "mail", "account", "mail", {"title": mail.subject, "text": text, "sender": mail.sender}
                )

    def _fault(self, at: str, *, peek: bool = False) -> dict[str, object] | None:
        plan: list[dict[str, object]] = self._emu.state.settings.get("smtp_faults", [])
        found = next((one for one in plan if one.get("at") == at), None)
        if found and not peek:
            plan.remove(found)
        return found

    async def _say(self, at: str, words: str) -> bool:
        """Answer, or as a fault says; False: hang up."""
        fault = self._fault(at)
        if fault and fault.get("code") == 0:
            return False
        if fault and fault.get("code") == -1:
            await asyncio.sleep(3600)
        if fault:
            words = f"{fault.get('code', 451)} {fault.get('text', 'try later')}"
        self._writer.write(words.encode() + b"\r\n")
        await self._writer.drain()
        return True


def _address(line: str) -> str:
    return line.partition(":")[2].strip().partition(">")[0].lstrip("<").strip()
