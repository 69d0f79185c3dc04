"""Servers that make mosaics: named, tried and ended by the system administrator."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError
from django.utils.translation import gettext as _

from jiequ.core import outgoing, secrets
from jiequ.core.db import writing
from jiequ.core.errors import Forbidden, NotFound, Refusal
from jiequ.core.jobs import JobSpec, enqueue
from jiequ.people.rules import Actor, Role

from .. import children
from ..models import OdmServer
from ..models.ways import TOKEN_PURPOSE
from .flights import record

TRY = "sense.odm_try"
SECONDS = 45.0


def make_server(*, name: str, url: str, token: str, by: Actor, at: datetime) -> OdmServer:
    """A server, tried at once by a job. Refusal: no name, an address that may not be called, a name that is taken."""
    _require(by)
    name, url, token = name.strip(), url.strip().rstrip("/"), token.strip()
    if not name or len(name) > 40:
        raise Refusal("odm_name", _("请填写名称，不超过 40 字。"), facts={"field": "name"})
    target = outgoing.target_of(url)
    if "?" in target.path:
        raise Refusal("odm_query", _("地址里不要带 ? 后面的内容；口令填在口令栏。"), facts={"field": "url"})
    if len(token) > 200:
        raise Refusal("odm_token", _("口令太长。"), facts={"field": "token"})
    sealed = secrets.seal(token, TOKEN_PURPOSE) if token else ""
    row = OdmServer(name=name, url=url, token_sealed=sealed, made_at=at, made_by=by.person_id)
    try:
        with writing():
            row.save(force_insert=True)
            _enqueue_try(row, at)
            record(by, None, at, "odm_server_add", "odm_server", row.pk)
    except IntegrityError:
        raise Refusal("name_taken", _("已经有叫这个名称的服务器。"), facts={"field": "name"}) from None
    return row


def ask_try(*, server_id: int, by: Actor, at: datetime) -> None:
    """Have it asked whether it answers."""
    _require(by)
    with writing():
        _enqueue_try(_living(server_id), at)


def end_server(*, server_id: int, by: Actor, at: datetime) -> OdmServer:
    """No flight goes there any more; what is there already is finished."""
    _require(by)
    with writing():
        row = _living(server_id)
        OdmServer.objects.filter(pk=row.pk).update(ended_at=at)
        record(by, None, at, "odm_server_end", "odm_server", row.pk)
    return row


def asked_of(server: OdmServer, step: str, **more: Any) -> dict[str, Any]:
    """A request for the child: where, with which token, by which networks' rules."""
    token = secrets.unseal(server.token_sealed, TOKEN_PURPOSE) if server.token_sealed else ""
    networks = list(settings.WEBHOOK_NETWORKS)
    return {"do": "mosaic", "step": step, "url": server.url, "token": token, "networks": networks, **more}


def try_it(server_id: int, at: datetime) -> None:
    """One call; what came of it stands in the row. A job's: the child has a process and a time limit of its own."""
    server = OdmServer.objects.filter(pk=server_id, ended_at=None).first()
    if server is None:
        return
    told = children.once("mosaic", asked_of(server, "try"), seconds=SECONDS)
    trouble = told.get("trouble") or told.get("fault") or ""
    changes = {"tried_at": at, "trouble": trouble[:40]} | ({} if trouble else {"answer": told["answer"]})
    OdmServer.objects.filter(pk=server.pk).update(**changes)


def _enqueue_try(row: OdmServer, at: datetime) -> None:
    enqueue(JobSpec(TRY, {"server_id": row.pk}, at, key=f"{TRY}:{row.pk}"))


def _require(by: Actor) -> None:
    if not by.has(Role.SYSTEM_ADMIN, Role.SYSTEM):
        raise Forbidden("not_system_admin", _("这一步由系统管理员做。"))


def _living(server_id: int) -> OdmServer:
    row = OdmServer.objects.filter(pk=server_id, ended_at=None).first()
    if row is None:
        raise NotFound("no_such_server", _("没有这台服务器，或者已经停用。"))
    return row
