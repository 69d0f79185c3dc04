"""Rows of the desk's two long lists, each written in one go: fifty of them stand on a page."""

from __future__ import annotations

from datetime import datetime
from html import escape
from typing import Any
from urllib.parse import quote

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


@register.simple_tag
def tray_line(row: dict[str, Any], here: str, now: datetime, has_ticks: bool, is_first: bool = False) -> SafeString:
    """A row of a tray; ``row`` is ``views.staff._desk_row``, ``here`` the address to come back to.

    Its moves are links to the move's own page, and forms beside it with scripts.
    """
    number, back = escape(row["number"]), f"next={quote(here, safe='/')}"
    peek = escape(row["peek_url"])
    selected = ' aria-selected="true"' if is_first else ""
    ends = due(row["due_at"], now, row["is_provisional"]) if row["due_at"] else ""
    checked = f" {badge(_('核查通过'), 'done')}" if row["is_checked"] else ""
    lead = f"<small>{escape(row['lead'])}</small>" if row["lead"] else ""
    return SafeString(
        f'<tr tabindex="-1" data-row="{row["id"]}" data-mark="{row["mark"]}" data-turn="{row["turn"]}" data-number="{number}"'
        f'{selected} hx-get="{peek}?{back}" hx-trigger="jiequ:row delay:120ms">\n'
        f'<td class="desk-due">{_tick(row) if has_ticks else ""}{light(row["light"])}{ends}</td>\n'
        f'<td><a class="desk-open" href="{escape(row["url"])}" hx-get="{peek}?go=1&amp;{back}">'
        f"<strong>{escape(row['type_name'])}</strong></a>{_marks(row)}\n"
        f'<small>{escape(row["place"])}</small><small class="number">{number}</small>'
        f'<span class="readers" data-readers hidden></span>\n{_acts(row, peek, back)}</td>\n'
        f"<td>{badge(row['state'], row['state_tone'])}{checked}{lead}</td></tr>"
    )


def _tick(row: dict[str, Any]) -> str:
    box = f'<input type="checkbox" name="cases" value="{row["id"]}.{row["version"]}" form="lot-form" data-tick>'
    label = escape(_("勾选 %(number)s") % {"number": row["number"]})
    return f'<label class="tick">{box}<span class="silent">{label}</span></label>'


def _acts(row: dict[str, Any], peek: str, back: str) -> str:
    if not row["moves"]:
        return ""
    acts = [_act(one, peek, back) for one in row["moves"]]
    whole = f'data-key="o" data-key-label="{escape(_("打开整页"))}">{escape(_("整页"))} <kbd>o</kbd></a>'
    return f'<span class="row-acts">{"".join(acts)}<a class="row-act" href="{peek}?{back}" {whole}</span>'


def _act(one: dict[str, str], peek: str, back: str) -> str:
    name, label, key = escape(one["name"]), escape(one["label"]), one["key"]
    return (
        f'<a class="row-act" data-move="{name}" href="{escape(one["url"])}?{back}" hx-get="{peek}?do={name}&amp;{back}"'
        f' data-key="{key}" data-key-label="{label}">{label} <kbd>{key}</kbd></a>'
    )


def _marks(row: dict[str, Any]) -> str:
    urgent = f" {badge(_('紧急'), 'stop')}" if row["is_urgent"] else ""
    voices = row["voices"]
    if voices < 2:
        return urgent
    words = ngettext("%(n)s 人反映", "%(n)s 人反映", voices) % {"n": voices}
    return f'{urgent} <span class="voices">{icon("people")}{escape(words)}</span>'
