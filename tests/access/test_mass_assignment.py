"""A field that is not in a form changes nothing, whatever column it names (RELIABILITY row 23)."""

from __future__ import annotations

from functools import cache
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, connection, models, router, transaction
from django.urls import resolve

from jiequ.cases.forms import FORMS
from jiequ.cases.models import Case
from jiequ.cases.services import moving
from tests.access import table
from tests.access.deeds import DEEDS
from tests.access.pages import data_of, forms_of
from tests.access.scene import make_scene
from tests.actors import MovableClock, World
from tests.casework import Casework, make_condition

pytestmark = pytest.mark.sqlite  # sequences that a rollback does not turn back would differ on PostgreSQL

ASIDE = {"core.Throttle", "core.IdempotencyKey", "core.Job", "people.Session", "people.Device"}
FRESH = {"token_hash", "name_sealed", "phone_sealed", "to_phone_sealed", "password", "code_hash", "totp_sealed", "hash"}
"""New at each writing: tokens, and what is sealed."""
FRESH_OF = {"cases.Delivery": {"key", "body"}, "cases.Webhook": {"secret_sealed", "old_secret_sealed"},
            "hotline.Letter": {"key", "body_sealed"}, "hotline.Order": {"content_sealed"},
            "hotline.Source": {"out_key_sealed"}}  # fmt: skip
"""The same of one table: a test call's number stands in what is sent, a webhook's secret is drawn."""
REPORT_FIELDS = {"words", "condition", "name", "phone", "place_words", "is_confidential", "wants_call", "accuracy_m", "lon",
                 "lat", "system", "community", "place", "landmark", "plate", "street", "me_too",
                 "located_at", "self_handled"}  # fmt: skip
STAFF_FIELDS = {"source", "is_urgent", "outer_due_at", "source_ref"}
HOSTILE: dict[type[models.Field], str] = {
    models.BooleanField: "on",
    models.DateTimeField: "2030-01-01T00:00",
    models.DateField: "2030-01-01",
    models.JSONField: '{"hack": 1}',
    models.FloatField: "1.5",
}


@pytest.fixture
def work(world: World, clock: MovableClock) -> Casework:
    return Casework(world, make_condition())


def columns() -> dict[str, str]:
    """Every column of every table by name, with a value that would be seen."""
    found = {}
    for model in apps.get_models():
        if model.__module__.startswith("jiequ."):
            for field in model._meta.concrete_fields:
                value = next((v for kind, v in HOSTILE.items() if isinstance(field, kind)), "77")
                value = field.choices[-1][0] if field.choices else value
                found |= {field.name: str(value), field.attname: str(value)}
    return found | {
        "is_staff": "on",
        "is_superuser": "on",
        "roles": "system_admin",
        "actor": "1",
        "by": "1",
        "at": "2030-01-01",
    }


def tables() -> dict[str, Any]:
    """Everything stored, but for what is new at each writing. Asked hundreds of times, so the questions are written once."""
    found = {}
    with connection.cursor() as cursor:
        for label, sql in _everything():
            cursor.execute(sql)
            found[label] = cursor.fetchall()
    return found


@cache
def _everything() -> list[tuple[str, str]]:
    asked = []
    for model in apps.get_models():
        meta = model._meta
        here = router.db_for_read(model) == DEFAULT_DB_ALIAS  # the inbox of callbacks lies elsewhere
        if here and model.__module__.startswith("jiequ.") and meta.label not in ASIDE:
            kept = [f.column for f in meta.concrete_fields if f.name not in FRESH | FRESH_OF.get(meta.label, set())]
            columns = ", ".join(f'"{column}"' for column in kept)
            asked.append((meta.label, f'SELECT {columns} FROM "{meta.db_table}" ORDER BY "{meta.pk.column}"'))
    return asked


def stored_by(send: Any) -> tuple[int, dict[str, Any]]:
    """The status and the tables after a sending that is then taken back."""
    point = transaction.savepoint()
    status = send().status_code
    found = tables()
    transaction.savepoint_rollback(point)
    return status, found


def differing(plain: dict[str, Any], more: dict[str, Any]) -> list[str]:
    return [label for label in plain if plain[label] != more[label]]


def own_fields(name: str) -> set[str]:
    """The fields a deed's form has by right."""
    common = {"version", "next", "photos", "idempotency_key", "csrfmiddlewaretoken", "use"}  # use: a standard reply
    if name in FORMS:
        return common | set(FORMS[name].base_fields)
    if name in {"report", "report by staff", "self_handle"}:
        return common | REPORT_FIELDS | (STAFF_FIELDS if name != "report" else set())
    return common | {"is_solved", "satisfaction", "text"}


@pytest.mark.parametrize("name", DEEDS)
def test_a_move_takes_its_own_fields_and_no_other(work: Casework, name: str) -> None:
    deed = DEEDS[name](work)
    client = work.world.client(deed.who)
    client.cookies["device"] = "d" * 32
    extra = {field: value for field, value in columns().items() if field not in own_fields(name) | set(deed.fields)}
    assert len(extra) > 200
    status, plain = stored_by(lambda: deed.send(client))
    assert status in {302, 303}
    again, more = stored_by(lambda: deed.send(client, **extra))
    assert again == status
    assert not differing(plain, more), differing(plain, more)


def test_a_service_that_wrote_what_it_was_sent_would_be_noticed(work: Casework, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broken twin: the move writes a column that only the request named."""
    deed = DEEDS["accept"](work)
    client = work.world.client("lin")
    _status, plain = stored_by(lambda: deed.send(client))
    values = moving._values

    def generous(*args: Any, **kwargs: Any) -> dict[str, Any]:
        return values(*args, **kwargs) | {"voices": 77}

    monkeypatch.setattr(moving, "_values", generous)
    _status, more = stored_by(lambda: deed.send(client))
    assert Case._meta.label in differing(plain, more)


@pytest.mark.sqlite  # some hundred forms through the same ORM: once is enough
def test_every_other_form_on_every_page_takes_its_own_fields_and_no_other(world: World, clock: MovableClock) -> None:
    """Forms of people, grids, types, calendars, messages and the house, found by walking the pages as each role.

    Filled with samples, so many are refused; those that are accepted must store what they store without the extra fields,
    and those that are refused must stay so.
    """
    scene = make_scene(world)
    ids = table.CONSTANTS | scene.a.ids
    known, tried, changed, wrong = set(), 0, 0, []
    for who in ("xi", "an", "lin", "liang", "he", "wu", "huang", "chen", "zhou"):
        client = scene.world.client(who)
        for _name, address, _view in table.templates():
            if "token" in table.parts(address):
                continue
            here = table.filled(address, ids)
            answer = client.get(here)
            if answer.status_code != 200 or not answer.headers.get("Content-Type", "").startswith("text/html"):
                continue
            for form in forms_of(here, answer.content.decode()):
                route = resolve(urlsplit(form.action).path).view_name
                one = (who, route, tuple(sorted(form.fields)))
                if one in known or route in {"cases:move", "cases:report", "people:sign_out"}:
                    continue
                known.add(one)
                form.fields.pop("idempotency_key", None)
                before = tables()
                status, plain = stored_by(lambda form=form, client=client: client.post(form.action, data_of(form)))
                extra = {name: value for name, value in columns().items() if name not in form.fields and name not in OPTIONAL}
                again, more = stored_by(
                    lambda form=form, client=client, extra=extra: client.post(form.action, data_of(form, **extra))
                )
                tried += 1
                changed += plain != before
                if status != again or differing(plain, more):
                    wrong.append((who, route, status, again, differing(plain, more)))
    assert not wrong, wrong
    assert tried > 60
    assert changed > 8, "forms were only refused: nothing was tried"


OPTIONAL = {"is_trusted", "takes_files", "is_active", "care_mode", "needs_check", "needs_verify", "is_confidential",
            "types", "days", "next", "q",
            "assist_department_keys", "street", "department", "on", "device", "session", "page", "state", "language", "theme",
            "care", "reached", "outcome", "version", "text", "name", "kind", "code", "number", "what"}  # fmt: skip
"""Boxes that were not ticked when the page was drawn are no extra fields; nor are names that some form has by right."""
