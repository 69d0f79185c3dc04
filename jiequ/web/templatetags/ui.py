"""The small parts of a page: icons, lights, states, due times. Everything says in words what it says in colour."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache

from django import template
from django.templatetags.static import static
from django.utils import timezone, translation
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .. import words
from ..folding import constant

register = template.Library()

LIGHT_WORDS = {
    "green": gettext_lazy("正常"),
    "yellow": gettext_lazy("将到期"),
    "red": gettext_lazy("已超期"),
    "paused": gettext_lazy("已暂停"),
    "done": gettext_lazy("已办结"),
    "none": gettext_lazy("未计时"),
}


@register.simple_tag
@constant
def icon(name: str, label: str = "") -> SafeString:
    """One picture of the sprite; silent to screen readers unless it has a label."""
    return _icon(name, str(label))


@lru_cache(maxsize=1024, typed=True)  # marked-up text equals the plain one, and is written otherwise
def _icon(name: str, label: str) -> SafeString:
    use = format_html('<use href="{}#{}"></use>', static("web/icons.svg"), name)
    if label:
        return format_html('<svg class="icon" role="img" aria-label="{}">{}</svg>', label, use)
    return format_html('<svg class="icon" aria-hidden="true">{}</svg>', use)


@register.simple_tag
@constant
def light(colour: str, text: str = "") -> SafeString:
    """A light: a shape of its own for each colour, with its word (circle, triangle, octagon, bars, tick)."""
    return _light(colour if colour in LIGHT_WORDS else "none", str(text), translation.get_language())


@lru_cache(maxsize=1024, typed=True)  # marked-up text equals the plain one, and is written otherwise
def _light(name: str, text: str, _language: str | None) -> SafeString:
    return format_html(
        '<span class="light light-{0}">{1}<span class="light-word">{2}</span></span>',
        name,
        icon(f"light-{name}"),
        text or LIGHT_WORDS[name],
    )


@register.simple_tag
@constant
def badge(text: str, tone: str = "plain") -> SafeString:
    """A state's name. Tones: plain, go (somebody works on it), wait (asks for an act), stop, done."""
    return _badge(str(text), tone)


@lru_cache(maxsize=1024, typed=True)  # marked-up text equals the plain one, and is written otherwise
def _badge(text: str, tone: str) -> SafeString:
    return format_html('<span class="badge badge-{}">{}</span>', tone, text)


@register.simple_tag
def moment(at: datetime | None, style: str = "short") -> SafeString:
    """A point in time in local words: short "11月23日 16:40", "day", "full" with the year and the weekday."""
    if at is None:
        return SafeString("")
    local = timezone.localtime(at)
    text = words.moment(local, style, translation.get_language() or "zh-hans")
    return SafeString(f'<time datetime="{local.isoformat(timespec="minutes")}">{escape(text)}</time>')


@register.simple_tag
def due(at: datetime | None, now: datetime | None = None, is_provisional: bool = False) -> SafeString:
    """When it is due and how far off that is: "今天 17:00 · 还剩 3 小时"; provisional dates say so."""
    if at is None:
        return format_html('<span class="due">{}</span>', _("没有时限"))
    moment_now = now or timezone.now()
    spoken = words.due(timezone.localtime(at), timezone.localtime(moment_now))
    mark = f' <span class="due-mark">{escape(_("暂定"))}</span>' if is_provisional else ""
    late = " due-late" if at < moment_now else ""
    return SafeString(
        f'<span class="due{late}"><time datetime="{at.isoformat(timespec="minutes")}">{escape(spoken.when)}</time>'
        f' <span class="due-left">{escape(spoken.left)}</span>{mark}</span>'
    )


@register.simple_tag
def select_field(name: str, label: str, options: SafeString, everything: str = "") -> SafeString:
    """A select of a filter form: ``everything``, or one of ``options`` (written out by the view, the chosen one marked)."""
    place = escape(name)
    return SafeString(
        f'<div class="field"><label for="f-{place}">{escape(label)}</label><select id="f-{place}" name="{place}">'
        f'<option value="">{escape(everything or _("全部"))}</option>{options}</select></div>'
    )


@register.simple_tag
def tick_box(name: str, value: str, label: str, is_ticked: bool = False) -> SafeString:
    """One of several ticks of a filter form."""
    ticked = " checked" if is_ticked else ""
    box = f'<input type="checkbox" name="{escape(name)}" value="{escape(value)}"{ticked}>'
    return SafeString(f'<label class="flag">{box} {escape(label)}</label>')


@register.filter
def metres(value: float | None) -> str:
    """A distance for people: 80 米， 1.2 公里."""
    if value is None:
        return ""
    if value < 1000:
        return _("%(n)d 米") % {"n": max(10, round(value / 10) * 10)}
    return _("%(n).1f 公里") % {"n": value / 1000}
