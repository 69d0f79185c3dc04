"""``{% case_line row now %}``: a row of the long list of cases, written in one go; fifty of them stand on a page."""

from __future__ import annotations

from datetime import datetime
from html import escape
from typing import Any

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .ui import badge, due, icon, light, moment

register = template.Library()


@register.simple_tag
def case_line(row: dict[str, Any], now: datetime) -> SafeString:
    """The row of a case; ``row`` is ``views.finding._list_row``."""
    ends = due(row["due_at"], now, row["is_provisional"]) if row["due_at"] else ""
    lead = f"<small>{escape(row['lead'])}</small>" if row["lead"] else ""
    return SafeString(
        f'<tr tabindex="-1" data-row="{row["id"]}" data-mark="{row["mark"]}" data-turn="{row["turn"]}">'
        f'<td class="desk-due">{light(row["light"])}{ends}</td>\n'
        f'<td><a href="{escape(row["url"])}"><strong>{escape(row["type_name"])}</strong></a>{_marks(row)}'
        f"<small>{escape(row['place'])}</small>"
        f'<small><span class="number">{escape(row["number"])}</span> · {escape(row["found_by"])} · {moment(row["reported_at"])}'
        f"</small></td>\n<td>{badge(row['state'], row['state_tone'])}{lead}</td></tr>"
    )


def _marks(row: dict[str, Any]) -> str:
    urgent = f" {badge(_('紧急'), 'stop')}" if row["is_urgent"] else ""
    voices = row["voices"]
    if voices < 2:
        return urgent
    words = ngettext("%(n)s 人反映", "%(n)s 人反映", voices) % {"n": voices}
    return f'{urgent} <span class="voices">{icon("people")}{escape(words)}</span>'
