"""Names in the reader's language."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.translation import get_language

register = template.Library()


@register.filter
def local_name(thing: Any) -> str:
    """The Chinese or English name of a street, department or community."""
    is_chinese = (get_language() or "zh-hans").startswith("zh")
    return str(thing.name_zh if is_chinese or not thing.name_en else thing.name_en)
