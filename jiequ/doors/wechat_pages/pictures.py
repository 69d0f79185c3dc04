"""QR codes on pages: inline SVG without styles (the content policy allows none)."""

from __future__ import annotations

import segno
from django.utils.safestring import SafeString


def code_picture(text: str) -> SafeString:
    """The text as a QR code."""
    code = segno.make_qr(text, error="m")
    return SafeString(code.svg_inline(scale=6, border=3, light="#fff", svgclass="qr", lineclass=None))
