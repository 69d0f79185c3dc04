"""Reading form fields: a typed value, or a refusal that says what to correct."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from jiequ.core.errors import NotFound, Refusal

from ..rules import Role

LARGEST_ID = 2**63 - 1


def number(data: QueryDict, name: str) -> int | None:
    """An id, or None when the field is empty."""
    text = data.get(name, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdecimal()) or int(text[:20]) > LARGEST_ID:
        raise NotFound("no_such_choice", _("没有这个选项，请重新选择。"))
    return int(text)


def needed(data: QueryDict, name: str) -> int:
    """An id that must be there."""
    found = number(data, name)
    if found is None:
        raise Refusal("choice_missing", _("请先选择一项。"))
    return found


def day(data: QueryDict, name: str) -> date | None:
    """A day, or None when the field is empty."""
    text = data.get(name, "").strip()
    if not text:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise Refusal("bad_date", _("日期看不懂，请按 2026-03-04 这样填写。")) from None


def moment(data: QueryDict, name: str) -> datetime:
    """A local date and time, as ``<input type=datetime-local>`` sends it."""
    text = data.get(name, "").strip()
    try:
        return timezone.make_aware(datetime.fromisoformat(text[:16]))
    except (ValueError, OverflowError):
        raise Refusal("bad_moment", _("时间看不懂，请按 2026-03-04 08:30 这样填写。")) from None


def role(data: QueryDict, name: str = "role") -> Role:
    """A role by its identifier."""
    try:
        return Role(data.get(name, ""))
    except ValueError:
        raise Refusal("choice_missing", _("请先选择一项。")) from None


def end_of_day(at: datetime, days: int) -> datetime:
    """Local midnight after ``days`` days, today counted as one."""
    local = timezone.localtime(at).date() + timedelta(days=max(1, min(days, 366)))
    return timezone.make_aware(datetime.combine(local, time()))


def page(request: HttpRequest, template: str, context: Mapping[str, object], refusal: Refusal | None = None) -> HttpResponse:
    """The page, with the refusal in its place and its status; never kept by a browser's or a proxy's cache."""
    response = render(request, template, {**context, "refusal": refusal}, status=refusal.status if refusal else 200)
    response["Cache-Control"] = "private, no-store"
    if refusal is not None and "retry_after_seconds" in refusal.facts:
        response["Retry-After"] = str(refusal.facts["retry_after_seconds"])
    return response
