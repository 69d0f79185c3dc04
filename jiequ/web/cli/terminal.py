"""The language of a terminal: Chinese, unless its settings ask for English."""

from __future__ import annotations

import os

from django.utils import translation


def speak() -> None:
    """Choose the language of everything printed from now on."""
    named = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    translation.activate("en" if named.lower().startswith("en") else "zh-hans")
