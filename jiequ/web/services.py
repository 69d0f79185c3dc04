"""Taking in and answering what people say about the system itself."""

from __future__ import annotations

from datetime import datetime

from django.core import signing
from django.utils.translation import gettext as _

from jiequ.core.db import writing
from jiequ.core.errors import Forbidden, NotFound, Refusal, Stale
from jiequ.core.ids import new_token, token_hash
from jiequ.people.rules import Actor, Role

from .models import Suggestion, SuggestionState

LONGEST = 1000
_TICKET_SALT = "jiequ.web.suggestion"


def new_ticket() -> str:
    """What a blank form carries: a signed fresh token, so that the same form sent twice counts once."""
    return signing.dumps(new_token(), salt=_TICKET_SALT)


def suggest(*, text: str, page: str, ticket: str, language: str, at: datetime) -> str:
    """Keeps a suggestion; returns the token of its private link. Refuses an empty or over-long text, a foreign ticket."""
    words = _said(text)
    try:
        token: str = signing.loads(ticket, salt=_TICKET_SALT, max_age=7 * 24 * 3600)
    except signing.BadSignature:
        raise Refusal("form_too_old", _("这张表太旧了。请刷新页面再发一次，您写的话可以先复制下来。")) from None
    row = Suggestion(token_hash=token_hash(token), text=words, page=page[:200], language=language, made_at=at)
    with writing():
        Suggestion.objects.bulk_create([row], ignore_conflicts=True)
    return token


def answer_suggestion(*, suggestion_id: int, text: str, by: Actor, at: datetime) -> None:
    """A system administrator's answer, once."""
    if not by.has(Role.SYSTEM_ADMIN):
        raise Forbidden("not_system_admin", _("只有系统管理员可以答复意见。"))
    words = _said(text)
    with writing():
        changed = Suggestion.objects.filter(pk=suggestion_id, state=SuggestionState.OPEN).update(
            state=SuggestionState.ANSWERED, answer=words, answered_at=at, answered_by_id=by.person_id
        )
    if changed:
        return
    if Suggestion.objects.filter(pk=suggestion_id).exists():
        raise Stale("already_answered", _("这条意见已经有人答复了。"))
    raise NotFound("no_such_suggestion", _("没有这条意见。"))


def _said(text: str) -> str:
    words = text.strip()
    if not words:
        raise Refusal("says_nothing", _("请写一句话再发送。"))
    if len(words) > LONGEST:
        facts = {"longest": LONGEST, "length": len(words)}
        raise Refusal("too_long", _("最多 %(longest)d 个字，您写了 %(length)d 个。") % facts, facts=facts)
    return words
