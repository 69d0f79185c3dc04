"""Each phone's in-app browser: a way through which the phones page shows the product in a frame.

It keeps that phone's cookies here (frames of one host would share them), says MicroMessenger, names the phone to the
emulator's own pages, and takes away what forbids framing: in WeChat the page is no frame. Each phone has a port, and
so an origin, of its own. Only this machine's addresses are reached.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from emulator.http import Answer, Request, page
from emulator.server import Server
from emulator.store import Person

if TYPE_CHECKING:
    from emulator.app import Emulator

ORIGIN = re.compile(r"http://(?:127\.0\.0\.1|localhost)(?::\d+)?(?![\w.:])")
AGENT = (
    "Mozilla/5.0 (Linux; Android 14; 22041211AC) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/126.0.0.0 "
    "Mobile Safari/537.36 MicroMessenger/8.0.54.2760(0x28003651) WeChat/arm64 Weixin NetType/WIFI Language/zh_CN"
)
WORK_AGENT = " wxwork/4.1.36 MicroMessenger/7.0.1"
HOP = {
    "host",
    "cookie",
    "connection",
    "accept-encoding",
    "content-length",
    "transfer-encoding",
    "keep-alive",
    "te",
    "upgrade",
    "expect",
}
LEFT_OUT = HOP | {"set-cookie", "x-frame-options", "content-encoding", "date", "server", "strict-transport-security"}
REWRITTEN = ("text/html", "text/css", "application/json", "text/javascript", "application/javascript")
OTHER = "/_o/http/"
PAGE_SECONDS = 60.0


class Browsers:
    """One for each phone that opened a page."""

    def __init__(self, emu: Emulator) -> None:
        self._emu = emu
        self._open: dict[str, Browser] = {}

    async def frame(self, person: Person, url: str, *, is_work: bool = False) -> str:
        """The address to put into the frame."""
        if not ORIGIN.match(url):
            raise ValueError("the phones' browser reaches only pages of this machine")
        browser = self._open.get(person.id)
        if not browser:
            browser = self._open[person.id] = Browser(self._emu, person)
            await browser.start()
        browser.agent = AGENT + (WORK_AGENT if is_work else "")
        return browser.framed_url(url)

    async def close(self) -> None:
        """All; cookies are gone."""
        for browser in self._open.values():
            await browser.close()
        self._open = {}


class Browser:
    """One phone's browser: an ASGI app behind a port."""

    def __init__(self, emu: Emulator, person: Person) -> None:
        self._emu, self._person = emu, person
        self._server = Server(self._app)
        self._client = httpx.AsyncClient(timeout=PAGE_SECONDS, follow_redirects=False, trust_env=False)
        self.agent = AGENT
        self.home = ""
        """The origin of the page's own addresses; the emulator's never is."""

    async def start(self) -> None:
        """Listen."""
        await self._server.start()

    async def close(self) -> None:
        """Stop."""
        await self._server.stop()
        await self._client.aclose()

    @property
    def origin(self) -> str:
        """Where the frame lives."""
        return f"http://127.0.0.1:{self._server.port}"

    @property
    def _emulator(self) -> str:
        return str(self._emu.state.settings.get("base", ""))

    def framed_url(self, url: str) -> str:
        """A page's address inside the frame; the first product's origin becomes the frame's own."""
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin != self._emulator:
            self.home = origin
        return ORIGIN.sub(lambda found: self._framed(found[0]), url, count=1)

    def _framed(self, origin: str) -> str:
        return self.origin if origin == self.home else self.origin + OTHER + origin.removeprefix("http://")

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        from emulator.app import _request, respond

        await respond(await self._fetch(await _request(scope, receive)), receive, send)

    async def _fetch(self, request: Request) -> Answer:
        origin, path = self._upstream(request.path)
        if not ORIGIN.fullmatch(origin):
            return page("<p>no page was opened</p>", 404)
        headers = {name: self._real(value) for name, value in request.headers.items() if name not in HOP}
        headers |= {"user-agent": self.agent, "x-emu-person": self._person.id, "accept-encoding": "identity"}
        headers["accept-language"] = "zh-CN,zh;q=0.9"
        body = request.body
        if origin == self._emulator:
            body = body.replace(self.origin.encode(), self.home.encode())
        query = {name: self._real(value) for name, value in request.query.items()}
        asking = self._client.build_request(request.method, origin + path, params=query or None, headers=headers, content=body)
        try:
            answer = await self._client.send(asking, stream=True)
        except httpx.HTTPError as fault:
            return page(f"<p>网页无法打开：{origin}（{type(fault).__name__}）</p>", 502)
        return await self._answer(answer)

    def _upstream(self, path: str) -> tuple[str, str]:
        if not path.startswith(OTHER):
            return self.home, path
        host, slash, rest = path.removeprefix(OTHER).partition("/")
        return f"http://{host}", slash + rest

    def _real(self, text: str) -> str:
        """What the page says of its own address, as the product knows it."""
        return text.replace(self.origin + OTHER, "http://").replace(self.origin, self.home)

    async def _answer(self, answer: httpx.Response) -> Answer:
        kind = answer.headers.get("content-type", "")
        headers = {
            name: self._rewritten(value) for name, value in answer.headers.items() if name not in (*LEFT_OUT, "content-type")
        }
        if policy := headers.get("content-security-policy"):
            headers["content-security-policy"] = re.sub(r"\s*frame-ancestors[^;]*;?", "", policy)
        found = Answer(status=answer.status_code, kind=kind or "application/octet-stream", headers=headers)
        if kind.startswith("text/event-stream"):
            found.stream = _poured(answer)
            return found
        body = await answer.aread()
        await answer.aclose()
        if kind.startswith(REWRITTEN):
            body = self._rewritten(body.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        found.body = body
        return found

    def _rewritten(self, text: str) -> str:
        return ORIGIN.sub(lambda found: self._framed(found[0]), text)


async def _poured(answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for part in answer.aiter_raw():
            yield part
    finally:
        await answer.aclose()
