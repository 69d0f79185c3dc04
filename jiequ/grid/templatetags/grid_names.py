"""``{{ community|local_name }}``: a street's or community's name in the reader's language."""

from __future__ import annotations

from django import template

from ..pages import local_name

register = template.Library()
register.filter("local_name", local_name)
