"""The small parts of a page: icons, lights, states, due times. Everything says in words what it says in colour."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.templatetags.static import static
from django.utils import timezone, translation
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .. import words

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
def icon(name: str, label: str = "") -> SafeString:
    """One picture of the sprite; silent to screen readers unless it has a label."""
    use = format_html('<use href="{}#{}"></use>', static("web/icons.svg"), name)
    if label:
        return format_html('<svg class="icon" role="img" aria-label="{}">{}</svg>', label, use)
    return format_html('<svg class="icon" aria-hidden="true">{}</svg>', use)


@register.simple_tag
def light(colour: str, text: str = "") -> SafeString:
    """A light: a shape of its own for each colour, with its word (circle, triangle, octagon, bars, tick)."""
    name = colour if colour in LIGHT_WORDS else "none"
    return format_html(
        '<span class="light light-{0}">{1}<span class="light-word">{2}</span></span>',
        name,
        icon(f"light-{name}"),
        text or LIGHT_WORDS[name],
    )


@register.simple_tag
def badge(text: str, tone: str = "plain") -> SafeString:
    """A state's name. Tones: plain, go (somebody works on it), wait (asks for an act), stop, done."""
    return format_html('<span class="badge badge-{}">{}</span>', tone, text)


@register.simple_tag
def moment(at: datetime | None, style: str = "short") -> SafeString:
    """A point in time in local words: short "11月23日 16:40", "day", "full" with the year and the weekday."""
    if at is None:
        return SafeString("")
    local = timezone.localtime(at)
    text = words.moment(local, style, translation.get_language() or "zh-hans")
    return format_html('<time datetime="{}">{}</time>', local.isoformat(timespec="minutes"), text)


@register.simple_tag
def due(at: datetime | None, now: datetime | None = None, is_provisional: bool = False) -> SafeString:
    """When it is due and how far off that is: "今天 17:00 · 还剩 3 小时"; provisional dates say so."""
    if at is None:
        return format_html('<span class="due">{}</span>', _("没有时限"))
    moment_now = now or timezone.now()
    spoken = words.due(timezone.localtime(at), timezone.localtime(moment_now))
    mark = format_html(' <span class="due-mark">{}</span>', _("暂定")) if is_provisional else ""
    late = " due-late" if at < moment_now else ""
    return format_html(
        '<span class="due{}"><time datetime="{}">{}</time> <span class="due-left">{}</span>{}</span>',
        late,
        at.isoformat(timespec="minutes"),
        spoken.when,
        spoken.left,
        mark,
    )


@register.filter
def metres(value: float | None) -> str:
    """A distance for people: 80 米， 1.2 公里."""
    if value is None:
        return ""
    if value < 1000:
        return _("%(n)d 米") % {"n": max(10, round(value / 10) * 10)}
    return _("%(n).1f 公里") % {"n": value / 1000}
