"""One shape for every no: JSON, a part for htmx, or a page; and what no view should have to think of."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from django import forms
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import DataError, connection, transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.test import Client, RequestFactory
from django.urls import path
from django.utils import translation
from django.utils.translation import gettext
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET

from jiequ.core import http, middleware
from jiequ.core.errors import Forbidden, NotFound, Refusal, Stale, Throttled, Unauthenticated
from jiequ.people.access import public, signed_in
from jiequ.web import urls
from jiequ.web.urls import handler400, handler403, handler404, handler500  # noqa: F401  # Django looks for them here

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]

FAULTS: dict[str, Exception] = {
    "refusal": Refusal("no_photo", "请先拍照", facts={"missing": 1}),
    "not-found": NotFound("not_found", http._not_found().message),
    "hidden": NotFound("not_found", http._not_found().message, facts={"street": "别的街道"}),
    "missing": Http404("Case matching query does not exist."),
    "forbidden": Forbidden("not_yours", "这件案件由别的部门处置"),
    "denied": PermissionDenied("secret reason"),
    "stale": Stale("stale", "别人刚刚受理了这件案件"),
    "throttled": Throttled("throttled", "请 9 秒后再试", facts={"retry_after_seconds": 9}),
    "signed-out": Unauthenticated("not_signed_in", "请先登录"),
    "link": Unauthenticated("link_expired", "这个链接已失效"),
    "suspicious": SuspiciousOperation("secret reason"),
    "fault": RuntimeError("SELECT phone FROM people_person"),
    "script": Refusal("evil", "<script>alert(1)</script>"),
}


@public
@csrf_exempt
def raising(request: HttpRequest, name: str) -> HttpResponse:
    """Raises what its address names."""
    raise FAULTS[name]


@public
@csrf_exempt
def echo(request: HttpRequest) -> HttpResponse:
    """Says what arrived."""
    if request.content_type.endswith("json"):
        return JsonResponse({"body": json.loads(request.body)})
    return JsonResponse(
        {"get": request.GET.dict(), "post": request.POST.dict(), "files": [f.name for f in request.FILES.values()]}
    )


@public
@require_GET
def only_get(request: HttpRequest) -> HttpResponse:
    """Takes no POST."""
    return HttpResponse("ok")


@signed_in
def inside(request: HttpRequest) -> HttpResponse:
    """Reads the session."""
    return HttpResponse("ok")


@public
def guarded(request: HttpRequest) -> HttpResponse:
    """Under Django's CSRF check."""
    return HttpResponse("ok")


urlpatterns = [
    path("raise/<str:name>", raising),
    path("api/raise/<str:name>", raising),
    path("echo", echo),
    path("only-get", only_get),
    path("guarded", guarded),
    path("inside", inside),
    *urls.urlpatterns,
]


@pytest.fixture
def browser() -> Client:
    return Client(raise_request_exception=False, headers={"accept": "text/html", "accept-language": "zh-hans"})


STATUS = {"refusal": 422, "not-found": 404, "missing": 404, "forbidden": 403, "denied": 403, "stale": 409, "throttled": 429,
          "link": 401, "suspicious": 400, "fault": 500}  # fmt: skip


@pytest.mark.parametrize(("name", "status"), STATUS.items())
def test_the_same_refusal_is_json_for_machines_a_part_for_htmx_and_a_page_for_people(
    browser: Client, name: str, status: int
) -> None:
    api = browser.get(f"/api/raise/{name}")
    asked = browser.get(f"/raise/{name}", headers={"accept": "application/json"})
    part = browser.get(f"/raise/{name}", headers={"hx-request": "true"})
    page = browser.get(f"/raise/{name}")
    assert {answer.status_code for answer in (api, asked, part, page)} == {status}
    for answer in (api, asked):
        shape = answer.json()
        assert list(shape) == ["ok", "code", "message", "facts"]
        assert shape["ok"] is False
        assert shape["message"]
    assert b"<html" in page.content
    if status < 500:
        assert part["HX-Retarget"] == "#refusal"
        assert b"<html" not in part.content
        sentence = api.json()["message"]
        assert sentence in page.content.decode()
        assert sentence in part.content.decode()


def test_a_thing_that_is_hidden_one_that_is_missing_and_an_address_that_is_not_answer_with_the_same_bytes(
    browser: Client,
) -> None:
    for headers in ({}, {"accept": "application/json"}, {"hx-request": "true"}):
        addresses = ("/raise/not-found", "/raise/hidden", "/raise/missing", "/no/such/address")
        answers = [browser.get(address, headers=headers) for address in addresses]
        assert {answer.status_code for answer in answers} == {404}
        assert len({answer.content for answer in answers}) == 1
        heads = [{name: value for name, value in answer.items() if name != "X-Request-Id"} for answer in answers]
        assert heads == heads[:1] * 4


def test_a_page_of_a_refusal_asks_the_database_nothing(browser: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert browser.get("/raise/missing").status_code == 404


def test_a_fault_of_ours_shows_a_number_that_the_log_has_and_nothing_else(
    browser: Client, caplog: pytest.LogCaptureFixture
) -> None:
    for headers in ({"accept": "text/html"}, {"accept": "application/json"}):
        caplog.clear()
        answer = browser.get("/raise/fault", headers=headers)
        assert answer.status_code == 500
        text = answer.content.decode()
        assert not re.search(r"SELECT|people_person|RuntimeError|Traceback|\.py", text)
        number = re.search(r"E[0-9A-F]{8}", text)
        assert number is not None
        told = [record for record in caplog.records if number[0] in record.getMessage()]
        assert len(told) == 1
        assert told[0].exc_info is not None
        assert "people_person" in str(told[0].exc_info[1])


def test_reasons_of_djangos_exceptions_are_not_told(browser: Client) -> None:
    for name in ("denied", "suspicious", "missing"):
        for headers in ({}, {"accept": "application/json"}):
            text = browser.get(f"/raise/{name}", headers=headers).content.decode()
            assert "secret" not in text
            assert "query" not in text


def test_a_sentence_with_markup_stays_text(browser: Client) -> None:
    for headers in ({}, {"hx-request": "true"}):
        assert b"<script>alert" not in browser.get("/raise/script", headers=headers).content


def test_a_throttled_answer_says_when_to_come_back(browser: Client) -> None:
    assert browser.get("/api/raise/throttled")["Retry-After"] == "9"
    assert browser.get("/raise/throttled")["Retry-After"] == "9"


def test_whoever_is_not_signed_in_is_led_to_the_sign_in_page_and_back(browser: Client) -> None:
    page = browser.get("/raise/signed-out?x=1")
    assert page.status_code == 302
    assert page["Location"].endswith("?next=%2Fraise%2Fsigned-out%3Fx%3D1")
    part = browser.get("/raise/signed-out", headers={"hx-request": "true"})
    assert (part.status_code, part["HX-Redirect"]) == (401, page["Location"].split("?")[0])
    assert browser.post("/raise/signed-out")["Location"] == page["Location"].split("?")[0]
    assert browser.get("/api/raise/signed-out").status_code == 401
    assert "链接" in browser.get("/raise/link").content.decode(), "a resident with an old link is not led to the staff's door"


def test_a_wrong_method_gets_the_same_shape_and_the_right_one_named(browser: Client) -> None:
    answer = browser.delete("/only-get", headers={"accept": "application/json"})
    assert (answer.status_code, answer["Allow"], answer.json()["code"]) == (405, "GET", "method_not_allowed")


def test_a_form_without_its_key_is_told_kindly() -> None:
    answer = Client(enforce_csrf_checks=True, headers={"accept": "application/json"}).post("/guarded", {"a": "1"})
    assert (answer.status_code, answer.json()["code"]) == (403, "page_expired")


def test_what_is_wrong_with_a_form_comes_by_field() -> None:
    class Form(forms.Form):
        words = forms.CharField()
        floor = forms.IntegerField(max_value=9)

    refusal = http.form_errors(Form({"floor": "99"}))
    assert refusal.status == 422
    assert set(refusal.facts["fields"]) == {"words", "floor"}
    assert str(refusal) in refusal.facts["fields"]["words"]


# -- what comes in -----------------------------------------------------------------------------------------------------

BAD_TEXTS = {
    "a NUL": "a%00b",
    "half a character": "%E5%93",
    "latin": "%E9t%E9",
    "a surrogate": "%ED%A0%80",
    "overlong": "%C0%AF",
}


@pytest.mark.parametrize("text", BAD_TEXTS.values(), ids=list(BAD_TEXTS))
def test_broken_text_is_refused_wherever_it_stands(browser: Client, text: str) -> None:
    form = "application/x-www-form-urlencoded"
    answers = [
        browser.get(f"/echo?q={text}"),
        browser.get(f"/echo?{text}=q"),
        browser.post("/echo", f"q={text}", content_type=form),
        browser.post("/echo", f"{text}=q", content_type=form),
    ]
    assert [answer.status_code for answer in answers] == [400] * 4
    assert all(re.search("无法识别的字符", answer.content.decode()) for answer in answers)


def test_broken_text_in_a_multipart_form_a_file_name_a_json_body_or_a_path_is_refused(browser: Client) -> None:
    def multipart(head: bytes, value: bytes) -> bytes:
        return b"--x\r\nContent-Disposition: form-data; " + head + b"\r\n\r\n" + value + b"\r\n--x--\r\n"

    bodies = [multipart(b'name="a"', b"\0"), multipart(b'name="a"', b"\xe5\x93")]
    answers = [browser.post("/echo", body, content_type="multipart/form-data; boundary=x") for body in bodies]
    for value in (b'{"a": "\\u0000"}', b'{"\\u0000": 1}', b'[["\\ud83d"]]', b'{"a": "\xff"}'):
        answers.append(browser.post("/echo", value, content_type="application/json"))
    answers.append(browser.get("/raise/%00"))
    assert [answer.status_code for answer in answers] == [400] * len(answers)


def test_a_cookie_that_cannot_be_read_is_as_if_absent(browser: Client) -> None:
    """Else a portal of the district that sets GBK cookies on the parent domain would lock its people out."""
    for cookie in ('jiequ_session="\\000"', "portal=\xc4\xe3\xba\xc3; jiequ_session=\xff", "csrftoken=\xff"):
        assert browser.get("/only-get", headers={"cookie": cookie}).status_code == 200
        assert browser.get("/inside", headers={"cookie": cookie}).status_code == 302
    kept = RequestFactory().get("/", headers={"cookie": 'theme=dark; portal="\\000"'})
    middleware.RequestGuard(lambda request: HttpResponse())(kept)
    assert kept.COOKIES == {"theme": "dark"}


def test_names_in_a_multipart_form_that_cannot_be_read_never_arrive(browser: Client) -> None:
    for head in (b'name="a\xff"', b'name="f"; filename="a\0.jpg"', b'name="f"; filename="\xe5\x93.jpg"', b'name="a\0"'):
        body = b"--x\r\nContent-Disposition: form-data; " + head + b"\r\n\r\nvalue\r\n--x--\r\n"
        answer = browser.post("/echo", body, content_type="multipart/form-data; boundary=x")
        assert answer.status_code == 400 or not any(sign in answer.content for sign in (b"\\u0000", b"\\ufffd", b"\\ud")), head


def test_honest_text_passes(browser: Client) -> None:
    text = "河道堵塞 🚧 é ½ \t\n<b>&amp;"
    assert browser.get("/echo", {"q": text}).json()["get"] == {"q": text}
    assert browser.post("/echo", {"q": text}).json()["post"] == {"q": text}
    assert browser.post("/echo", {"q": text, "f": io.BytesIO(b"\0\xff")}).json()["files"] == ["f"]
    for body in (json.dumps({"q": text}), json.dumps({"q": text}, ensure_ascii=False), '{"q": "\\\\u0000"}'):
        assert browser.post("/echo", body, content_type="application/json").json()["body"] == json.loads(body)


@pytest.mark.postgresql
def test_postgresql_would_raise_for_what_the_guard_refuses() -> None:
    with pytest.raises(DataError, match="NUL"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT %s", ["a\0b"])
    with pytest.raises(UnicodeEncodeError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT %s", ["\ud83d"])


def test_the_guard_answers_in_the_readers_language() -> None:
    sentences = {
        language: Client()
        .get("/echo?q=%00", headers={"accept": "application/json", "accept-language": language})
        .json()["message"]
        for language in ("zh-hans", "en")
    }
    assert "无法识别" in sentences["zh-hans"]
    with translation.override("en"):
        assert sentences["en"] == gettext("内容里有无法识别的字符，请删掉后再试")


def test_the_guard_knows_clean_text_from_broken() -> None:
    assert all(map(middleware.is_clean, ("", "a", "中文", "\U0001f6a7", "\n")))
    assert not any(map(middleware.is_clean, ("\0", "a\ufffd", "\ud800", "中\udfff")))


def test_bodies_too_large_or_of_a_strange_kind_are_refused_in_the_same_shape(browser: Client, settings: Any) -> None:
    settings.MAX_BODY_BYTES = 2_000_000
    json_headers = {"accept": "application/json"}
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    large = browser.post("/echo", b'"' + b"a" * most + b'"', content_type="application/json", headers=json_headers)
    assert (large.status_code, large.json()["code"], large.json()["facts"]) == (413, "too_large", {"max_bytes": most})
    files = browser.post("/echo", {"f": io.BytesIO(b"a" * 2_000_001)}, headers=json_headers)
    assert files.status_code == 413
    fields = browser.post("/echo", {f"f{n}": "a" * 3000 for n in range(400)}, headers=json_headers)
    assert (fields.status_code, fields.json()["code"]) == (413, "too_large"), "text in a multipart form has its own limit"
    many = browser.post("/echo", "&".join(f"a{n}=" for n in range(2001)), content_type=next(iter(sorted(http.FORM_TYPES))))
    assert many.status_code == 413
    for kind in ("application/x-java-serialized-object", "text/plain", "application/json; charset=utf-16", "multipart/mixed"):
        strange = browser.post("/echo", b"abc", content_type=kind, headers=json_headers)
        assert (strange.status_code, strange.json()["code"]) == (415, "wrong_type"), kind


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"abc"),
        ("multipart/form-data; boundary=", b"abc"),
        (
            "multipart/form-data; boundary=x",
            b"--x\r\nContent-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64\r\n\r\n$",
        ),
        ("application/json", b"[" * 100_000 + b"\\u0000"),
    ],
)
def test_bodies_that_cannot_be_parsed_are_no_fault_of_ours(browser: Client, kind: str, body: bytes) -> None:
    answer = browser.post("/guarded", body, content_type=kind)
    assert answer.status_code in {200, 400}


def test_every_answer_says_what_a_browser_may_do_with_it(browser: Client) -> None:
    for address in (
        "/only-get",
        "/raise/refusal",
        "/raise/fault",
        "/raise/missing",
        "/api/raise/stale",
        "/nowhere",
        "/echo?q=%00",
    ):
        answer = browser.get(address)
        for name, value in middleware.HEADERS.items():
            assert answer[name] == value, (address, name)
    assert "unsafe" not in middleware.CONTENT_SECURITY_POLICY
    assert "script-src 'self'" in middleware.CONTENT_SECURITY_POLICY


# -- who asks ----------------------------------------------------------------------------------------------------------


def _from(address: str, forwarded: str | None = None) -> HttpRequest:
    more = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
    return RequestFactory().get("/", REMOTE_ADDR=address, **more)


FORGED = ["1.1.1.1", "127.0.0.1", "10.0.0.5", "1.1.1.1, 10.0.0.5", "unknown", "", ",,,", "'; DROP TABLE", "::1", "x" * 5000]


@pytest.mark.parametrize("forged", FORGED)
def test_a_forged_header_changes_nothing_without_a_proxy(forged: str) -> None:
    assert http.client_address(_from("203.0.113.7", forged)) == "203.0.113.7"


@pytest.mark.parametrize("forged", FORGED)
def test_a_forged_header_changes_nothing_behind_a_proxy_that_appends(forged: str, settings: Any) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.0/8", "127.0.0.1"]
    assert http.client_address(_from("10.0.0.5", f"{forged}, 203.0.113.7")) == "203.0.113.7"
    assert http.client_address(_from("127.0.0.1", f"{forged}, 203.0.113.7, 10.1.2.3")) == "203.0.113.7"
    assert http.client_address(_from("198.51.100.9", f"{forged}, 203.0.113.7")) == "198.51.100.9", "not one of our proxies"


def test_reading_the_header_from_the_left_as_many_do_would_be_fooled() -> None:
    request = _from("10.0.0.5", "1.1.1.1, 203.0.113.7")
    assert request.META["HTTP_X_FORWARDED_FOR"].split(",")[0] == "1.1.1.1", "the broken twin takes the forged address"


def test_a_proxy_on_a_socket_is_trusted_only_by_name(settings: Any) -> None:
    assert http.client_address(_from("", "203.0.113.7")) == ""
    settings.TRUSTED_PROXIES = ["unix"]
    assert http.client_address(_from("", "203.0.113.7")) == "203.0.113.7"


def test_throttles_count_an_ipv6_subscriber_as_one(settings: Any) -> None:
    assert http.client_network(_from("2001:db8:1:2:3:4:5:6")) == http.client_network(_from("2001:db8:1:2:ffff::1"))
    assert http.client_network(_from("2001:db8:1:3::1")) != http.client_network(_from("2001:db8:1:2::1"))
    assert http.client_network(_from("::ffff:203.0.113.7")) == "203.0.113.7"
    settings.TRUSTED_PROXIES = ["::1"]
    assert http.client_network(_from("::1", "2001:db8::1")) == "2001:db8::/64"
