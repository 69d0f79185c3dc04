"""wechatpy, an independent client and server, with its fixed hosts turned to the emulator."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from wechatpy import WeChatClient
from wechatpy.oauth import WeChatOAuth
from wechatpy.work import WeChatClient as WorkClient

from emulator import scene

HOSTS = {"api.weixin.qq.com": "api", "mp.weixin.qq.com": "mp", "qyapi.weixin.qq.com": "qyapi", "open.weixin.qq.com": "open"}


class Turned(HTTPAdapter):
    """Sends what is meant for the platform's hosts to the emulator's folders."""

    def __init__(self, base: str) -> None:
        super().__init__()
        self.base = base

    def send(self, request: Any, *args: Any, **more: Any) -> requests.Response:
        parts = urlsplit(request.url)
        request.url = f"{self.base}/{HOSTS[parts.netloc]}{parts.path}" + (f"?{parts.query}" if parts.query else "")
        return super().send(request, *args, **more)


def _turned(client: Any, base: str) -> Any:
    client._http.trust_env = False
    client._http.mount("https://", Turned(base))
    return client


def official(base: str) -> WeChatClient:
    """The scene's account."""
    return _turned(WeChatClient(scene.APPID, scene.SECRET), base)


def work(base: str, secret: str = scene.AGENT_SECRET) -> WorkClient:
    """The scene's corporation, as one application."""
    return _turned(WorkClient(scene.CORPID, secret), base)


def oauth(base: str, redirect_uri: str, scope: str = "snsapi_base") -> WeChatOAuth:
    """Web sign-in of the scene's account."""
    return _turned(WeChatOAuth(scene.APPID, scene.SECRET, redirect_uri, scope, "s1"), base)


def turned_url(base: str, url: str) -> str:
    """A platform address at the emulator."""
    parts = urlsplit(url)
    return f"{base}/{HOSTS[parts.netloc]}{parts.path}?{parts.query}"
