"""What a finding rests on, in words: the evidence of each path, how sure, what it is to its suspect."""

from __future__ import annotations

from collections.abc import Mapping

from django import template
from django.utils.formats import localize
from django.utils.translation import gettext as _

from .. import words
from ..models import Suspect
from ..queries.suspects import TONES

register = template.Library()
Evidence = Mapping[str, Mapping[str, float]]


@register.simple_tag
def percent(share: float | None) -> str:
    """0.957 → 96 %; nothing for nothing."""
    return "" if share is None else f"{100 * share:.0f} %"


@register.simple_tag
def square(m2: float) -> str:
    """25324.4 → 25,324 m²."""
    return f"{m2:,.0f} m²"


@register.simple_tag
def height(metres: float | None) -> str:
    """By how many metres the surface changed; said so where no surface was measured."""
    return _("未测高") if metres is None else f"{localize(round(metres, 1))} m"


@register.simple_tag
def evidence(told: Evidence) -> str:
    """What each path says of a finding: heights, net, tin roof, plants."""
    parts = []
    if "dsm" in told:
        facts = {"share": f"{100 * told['dsm'].get('share', 0):.0f}", "rough": f"{told['dsm'].get('rough_m', 0):.2f}"}
        parts.append(_("高程：%(share)s%% 的面变了，起伏 %(rough)s 米") % facts)
    if "net" in told:
        parts.append(_("影像网络 %(mean)s%%") % {"mean": f"{100 * told['net'].get('mean', 0):.0f}"})
    if told.get("tin", {}).get("share", 0) >= 0.5:
        parts.append(_("像铁皮"))
    if told.get("green", {}).get("after", 0) >= 0.5:
        parts.append(_("像植物"))
    return _("；").join(parts)


@register.simple_tag
def relation(code: str) -> str:
    """What a finding is to its suspect."""
    return words.said(words.RELATIONS, code) if code else ""


@register.simple_tag
def rule(code: str) -> str:
    """The rule that explains a finding."""
    return words.said(words.RULES, code)


@register.simple_tag
def blind_reason(code: str) -> str:
    """Why a place cannot be compared."""
    return words.said(words.BLIND, code)


@register.simple_tag
def path_name(code: str) -> str:
    """The path that is blind there."""
    return words.said(words.PATHS, code)


@register.filter
def tone(suspect: Suspect) -> str:
    """The tone of the badge that says a suspect's state."""
    return TONES[suspect.state]
