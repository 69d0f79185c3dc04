"""``{% load once %}{% once_key %}``: the hidden field that makes a form's POST happen once."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from jiequ.core.ids import new_token
from jiequ.core.once import FIELD

register = template.Library()


@register.simple_tag
def once_key() -> SafeString:
    """A fresh key for each time the form is shown."""
    return format_html('<input type="hidden" name="{}" value="{}">', FIELD, new_token())
