"""A form sent twice is done once: same key, same answer, byte for byte (RELIABILITY row 7)."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from jiequ.core import once as core_once
from jiequ.core.errors import Refusal
from jiequ.core.models import Counter, IdempotencyKey
from jiequ.core.once import idempotent
from jiequ.core.once import once as once_per_key
from jiequ.people.access import public
from jiequ.web import urls

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
KEY = "k-0123456789abcdef"


def _effect(request: HttpRequest) -> HttpResponse:
    """Stores a row; the answer differs every time it really runs."""
    words = request.POST["words"]
    if words == "refuse":
        Counter.objects.create(name="half")
        raise Refusal("no", "不行")
    if words == "unwell":
        Counter.objects.create(name="half")
        return HttpResponse("再填一次", status=422)
    Counter.objects.create(name=f"row-{Counter.objects.count()}")
    answer = HttpResponse(f"第 {Counter.objects.count()} 件 {words}", status=201)
    answer["HX-Trigger"] = "made"
    return answer


@public
@csrf_exempt
@idempotent
def decorated(request: HttpRequest) -> HttpResponse:
    """The whole view is done once."""
    return _effect(request)


@public
@csrf_exempt
def scoped(request: HttpRequest) -> HttpResponse:
    """Only a part is, in a scope of its own."""
    return once_per_key(request, lambda: _effect(request), scope=request.GET["who"])


@public
@csrf_exempt
@idempotent
def leading(request: HttpRequest) -> HttpResponse:
    """Leads elsewhere."""
    Counter.objects.create(name=f"led-{Counter.objects.count()}")
    return HttpResponseRedirect(f"/cases/{Counter.objects.count()}")


@public
@csrf_exempt
def naive(request: HttpRequest) -> HttpResponse:
    """The broken twin: no key is looked at."""
    return _effect(request)


urlpatterns = [
    path("once", decorated),
    path("scoped", scoped),
    path("leading", leading),
    path("naive", naive),
    *urls.urlpatterns,
]


def _post(address: str = "/once", key: str | None = KEY, **fields: Any) -> HttpResponse:
    hidden = {} if key is None else {"idempotency_key": key}
    return Client().post(address, {"words": "河道", **hidden, **fields}, headers={"accept": "application/json"})


@pytest.mark.parametrize("times", [1, 2, 10])
def test_a_form_sent_so_many_times_is_done_once_and_answered_alike(times: int) -> None:
    answers = [_post() for _ in range(times)]
    assert {(answer.status_code, answer.content, answer["HX-Trigger"]) for answer in answers} == {
        (201, "第 1 件 河道".encode(), "made")
    }
    assert Counter.objects.count() == 1
    assert [answer.get("Idempotency-Replayed") for answer in answers] == [None] + ["true"] * (times - 1)


def test_without_the_key_the_twin_does_it_again_every_time() -> None:
    for _ in range(3):
        _post("/naive")
    assert Counter.objects.count() == 3


def test_the_key_may_come_as_a_header_and_a_redirect_is_replayed_too() -> None:
    def post() -> HttpResponse:
        return Client().post("/leading", b"{}", content_type="application/json", headers={"Idempotency-Key": KEY})

    assert [post()["Location"] for _ in range(3)] == ["/cases/1"] * 3


def test_the_same_key_with_other_content_is_refused() -> None:
    _post()
    photo = io.BytesIO(b"photo")
    changed = [_post(words="道路"), _post(more="1"), _post(words=["河道", "河道"]), _post(photo=photo), _post("/leading")]
    assert [answer.status_code for answer in changed] == [422] * len(changed)
    assert Counter.objects.count() == 1


def test_a_new_boundary_or_csrf_token_is_no_other_content_and_another_photo_is() -> None:
    first = _post(photo=io.BytesIO(b"photo"), csrfmiddlewaretoken="a")
    again = _post(photo=io.BytesIO(b"photo"), csrfmiddlewaretoken="b")
    assert again.content == first.content
    assert _post(photo=io.BytesIO(b"photo2")).status_code == 422


def test_fields_do_not_run_together_in_the_fingerprint() -> None:
    bodies = [{"a": ["1", "b", "2"]}, {"a": "1", "b": "2"}, {"a": "1b2"}, {"a1": "b2"}, {}]
    prints = {core_once.fingerprint(RequestFactory().post("/once", body)) for body in bodies}
    assert len(prints) == len(bodies)


@pytest.mark.parametrize("words", ["refuse", "unwell"])
def test_a_refused_form_leaves_nothing_and_may_be_mended_under_the_same_key(words: str) -> None:
    assert _post(words=words).status_code == 422
    assert not Counter.objects.exists()
    assert not IdempotencyKey.objects.exists()
    assert _post(words="河道").status_code == 201


def test_one_persons_key_never_fetches_anothers_answer() -> None:
    assert _post("/scoped?who=a").content == "第 1 件 河道".encode()
    assert _post("/scoped?who=b").content == "第 2 件 河道".encode()


@pytest.mark.parametrize("key", ["1", "short", "x" * 129, "k-0123456789abcde ", "钥匙钥匙钥匙钥匙钥匙钥匙钥匙钥匙"])
def test_a_key_that_could_be_guessed_or_is_malformed_is_refused(key: str) -> None:
    assert _post(key=key).status_code == 400
    assert not Counter.objects.exists()


def test_without_a_key_it_is_simply_done() -> None:
    assert [_post(key=None).status_code for _ in range(2)] == [201, 201]
    assert Counter.objects.count() == 2


def test_the_template_tag_gives_a_fresh_key_that_is_accepted() -> None:
    shown = [Template("{% load once %}{% once_key %}").render(Context()) for _ in range(2)]
    assert shown[0] != shown[1]
    key = shown[0].split('value="')[1].split('"')[0]
    assert shown[0].startswith('<input type="hidden" name="idempotency_key"')
    assert _post(key=key).status_code == 201
