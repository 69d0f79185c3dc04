"""Web sign-in, and the phones' browser: cookies of its own for each phone, framing, redirects, the JS-SDK's way."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from emulator import crypto, scene
from emulator.testing import Strings
from tests.emulator import http
from tests.emulator.product import Product, errcode

BACK = "http://street.example/back"


def authorize(emulator: Strings, person: str = "", **given: str) -> httpx.Response:
    words = {
        "appid": scene.APPID,
        "redirect_uri": BACK,
        "response_type": "code",
        "scope": "snsapi_base",
        "state": "s1",
        **given,
    }
    headers = {"x-emu-person": person} if person else {}
    return http.get(f"{emulator.base}/open/connect/oauth2/authorize", params=words, headers=headers)


def code(emulator: Strings, person: str = "zhou", **given: str) -> str:
    answer = authorize(emulator, person, **given)
    assert answer.status_code == 302, answer.text
    return str(httpx.URL(answer.headers["location"]).params["code"])


def exchange(emulator: Strings, value: str, **given: str) -> dict[str, Any]:
    words = {"appid": scene.APPID, "secret": scene.SECRET, "code": value, "grant_type": "authorization_code", **given}
    return http.get(f"{emulator.base}/api/sns/oauth2/access_token", params=words).json()


@pytest.fixture
def street(emulator: Strings) -> Strings:
    """The account's domain is registered."""
    emulator.ask("POST", f"/accounts/{scene.APPID}", oauth_domain="street.example", js_domains=["street.example"])
    return emulator


def test_a_base_sign_in_needs_no_tap_and_tells_only_the_openid(street: Strings) -> None:
    found = exchange(street, code(street))
    assert (found["openid"], found["scope"]) == (street.openid("zhou"), "snsapi_base")
    assert not {"unionid", "is_snapshotuser"} & set(found)
    words = {"access_token": found["access_token"], "openid": found["openid"]}
    assert http.get(f"{street.base}/api/sns/auth", params=words).json()["errcode"] == 0
    assert errcode(http.get(f"{street.base}/api/sns/userinfo", params=words).json()) == 48001


def test_a_code_is_for_one_use_within_five_minutes(street: Strings) -> None:
    used, late = code(street), code(street)
    assert errcode(exchange(street, used)) == 0
    assert errcode(exchange(street, used)) == 40163
    assert errcode(exchange(street, "0" + "x" * 31)) == 40029
    assert errcode(exchange(street, "")) == 41008
    assert errcode(exchange(street, late, secret="wrong")) == 40125
    street.advance(301)
    assert errcode(exchange(street, late)) == 40029


def test_userinfo_asks_the_person_and_then_tells_more(street: Strings) -> None:
    asked = authorize(street, "zhou", scope="snsapi_userinfo")
    assert asked.status_code == 200
    assert "允许" in asked.text
    found = exchange(street, code(street, scope="snsapi_userinfo", emu_consent="1"))
    words = {"access_token": found["access_token"], "openid": found["openid"]}
    assert http.get(f"{street.base}/api/sns/userinfo", params=words).json()["nickname"] == "周敏"
    again = http.get(f"{street.base}/api/sns/oauth2/refresh_token", params={"refresh_token": found["refresh_token"]}).json()
    assert again["access_token"] != found["access_token"]
    street.advance(30 * 86_400 + 1)
    late = http.get(f"{street.base}/api/sns/oauth2/refresh_token", params={"refresh_token": found["refresh_token"]}).json()
    assert errcode(late) == 42002


def test_a_snapshot_user_is_virtual(street: Strings) -> None:
    street.ask("POST", "/people/zhou", is_snapshot=True)
    found = exchange(street, code(street))
    assert found["is_snapshotuser"] == 1
    assert found["openid"] != street.openid("zhou")


def told_of(street: Strings) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the exchange of a code tells of 周敏, and what userinfo does."""
    found = exchange(street, code(street, scope="snsapi_userinfo", emu_consent="1"))
    words = {"access_token": found["access_token"], "openid": found["openid"]}
    return found, http.get(f"{street.base}/api/sns/userinfo", params=words).json()


def test_a_snapshot_users_unionid_is_not_the_persons(street: Strings) -> None:
    real = {one["unionid"] for one in told_of(street)}
    street.ask("POST", "/people/zhou", is_snapshot=True)
    virtual = {one["unionid"] for one in told_of(street)}
    assert len(real) == len(virtual) == 1
    assert not real & virtual


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"redirect_uri": "http://evil.example/"}, "10003"),
        ({"redirect_uri": "http://street.example.evil.example/"}, "10003"),
        ({"appid": "wx0"}, "appid"),
        ({"state": "a b"}, "state"),
        ({"state": "a" * 129}, "10002"),
        ({"response_type": "token"}, "10002"),
    ],
)
def test_a_wrong_sign_in_is_an_error_page(street: Strings, given: dict[str, str], words: str) -> None:
    answer = authorize(street, "zhou", **given)
    assert answer.status_code == 200
    assert words in answer.text
    assert "无法访问" in answer.text


def test_the_order_of_words_matters(street: Strings) -> None:
    query = f"redirect_uri={BACK}&appid={scene.APPID}&response_type=code&scope=snsapi_base"
    answer = http.get(f"{street.base}/open/connect/oauth2/authorize?{query}", headers={"x-emu-person": "zhou"})
    assert "10002" in answer.text


def test_outside_a_phone_one_is_asked_whose_phone_it_shall_be(street: Strings) -> None:
    answer = authorize(street)
    assert "请在微信客户端打开链接" in answer.text
    assert "emu_person=zhou" in answer.text


# --- the phones' browser


@contextmanager
def site(seen: list[tuple[str, dict[str, str]]]) -> Iterator[str]:
    """A product's pages: they count visits by cookie, forbid framing, and lead through a sign-in."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            parts = urlsplit(self.path)
            cookie = self.headers.get("Cookie", "")
            base = f"http://{self.headers['Host']}"
            self.send_response(302 if parts.path == "/enter" else 200)
            if parts.path == "/enter":
                self.send_header("Location", parse_qs(parts.query)["to"][0])
            if parts.path == "/back":
                self.send_header("Set-Cookie", f"session={parse_qs(parts.query)['code'][0]}; HttpOnly; Path=/")
            self.send_header("X-Frame-Options", "DENY")
            self.send_header("Content-Security-Policy", f"default-src 'self'; connect-src {base}; frame-ancestors 'none'")
            text = f'<a href="{base}/next">{cookie}</a><a href="/enter?to={base}%2Fx">'
            data = text.encode()
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def test_each_phone_signs_in_as_its_owner_and_keeps_its_own_cookies(emulator: Strings) -> None:
    seen: list[tuple[str, dict[str, str]]] = []
    with site(seen) as host, httpx.Client(trust_env=False, verify=False, follow_redirects=True, timeout=20) as reader:
        emulator.ask("POST", f"/accounts/{scene.APPID}", oauth_domain=host)
        query = f"appid={scene.APPID}&redirect_uri=http%3A%2F%2F{host}%2Fback&response_type=code&scope=snsapi_base&state=s"
        sign_in = f"{emulator.base}/open/connect/oauth2/authorize?{query}"
        openids = []
        for person in ("zhou", "he"):
            frame = emulator.ask("POST", f"/people/{person}/open", url=f"http://{host}/home")
            assert frame["frame"].startswith("http://127.0.0.1:")
            origin = frame["frame"].removesuffix("/home")
            answer = reader.get(f"{origin}/enter", params={"to": sign_in})
            assert str(answer.url).startswith(f"{origin}/back?code=")
            openids.append(exchange(emulator, answer.url.params["code"])["openid"])
            shown = reader.get(f"{origin}/home")
            assert f"session={answer.url.params['code']}" in shown.text
            assert f'href="{origin}/next"' in shown.text
            assert "x-frame-options" not in shown.headers
            assert "set-cookie" not in answer.headers
            assert shown.headers["content-security-policy"] == f"default-src 'self'; connect-src {origin};"
        assert openids == [emulator.openid("zhou"), emulator.openid("he")]
        assert all("MicroMessenger" in headers["user-agent"] and headers["host"] == host for _path, headers in seen)


def test_the_phones_browser_reaches_this_machine_only(emulator: Strings) -> None:
    for url in ("http://example.com/", "https://127.0.0.1/", "http://127.0.0.1.evil.example/", "file:///etc/hostname"):
        with pytest.raises(ValueError, match="this machine"):
            emulator.ask("POST", "/people/zhou/open", url=url)


def test_a_page_in_the_frame_is_checked_under_its_real_address(emulator: Strings, product: Product) -> None:
    with site([]) as host, httpx.Client(trust_env=False, verify=False) as reader:
        emulator.ask("POST", f"/accounts/{scene.APPID}", js_domains=[host])
        ticket = product.get("/cgi-bin/ticket/getticket", type="jsapi")["ticket"]
        frame = emulator.ask("POST", "/people/zhou/open", url=f"http://{host}/report")["frame"]
        origin = frame.removesuffix("/report")
        signed = crypto.jsapi_signature(ticket=ticket, nonce="n", timestamp="1", url=f"http://{host}/report")
        given = {"appId": scene.APPID, "nonceStr": "n", "timestamp": 1, "signature": signed, "url": frame}
        script = f"{origin}/_o/http/{emulator.base.removeprefix('http://')}/res"
        assert "config:ok" in reader.get(f"{script}/open/js/jweixin-1.6.0.js").text
        assert reader.post(f"{script}/check", json=given).json() == {"errMsg": "config:ok"}
        place = reader.post(f"{script}/device/getLocation", json={"type": "gcj02"}).json()
        assert abs(place["latitude"] - 23.190594) > 0.001
        photo = emulator.ask("GET", "/people/zhou/phone")["person"]["photos"][0]
        chosen = {"localId": f"weixin://resourceid/{photo}", "appId": scene.APPID}
        sent = reader.post(f"{script}/device/uploadImage", json=chosen).json()
        words = {"access_token": product.token()["access_token"], "media_id": sent["serverId"]}
        got = http.get(f"{emulator.base}/api/cgi-bin/media/get", params=words)
        assert got.content == scene.picture("blocked")


def test_news_reach_an_open_page_at_once(emulator: Strings) -> None:
    with (
        httpx.Client(trust_env=False, verify=False, timeout=10) as reader,
        reader.stream("GET", f"{emulator.base}/_emu/events") as stream,
    ):
        told = stream.iter_lines()
        assert next(told) == "retry: 1000"
        emulator.does("zhou", "follow")
        for line in told:
            if line.startswith("data: "):
                assert json.loads(line[6:]) == {"person": "zhou", "where": scene.APPID, "by": "system", "kind": "note"}
                return


def test_the_page_of_phones_and_its_parts_are_served(emulator: Strings) -> None:
    page = http.get(f"{emulator.base}/phones/")
    assert page.status_code == 200
    assert "script-src" not in page.headers["content-security-policy"]
    for name in ("phones.js", "phone.js", "lines.js", "sheets.js", "api.js", "phones.css"):
        assert http.get(f"{emulator.base}/phones/{name}").status_code == 200
    for name in ("__init__.py", "..%2Fapp.py", "nothing.js"):
        assert http.get(f"{emulator.base}/phones/{name}").status_code == 404
    assert http.get(emulator.base + "/").headers["location"] == "/phones/"
