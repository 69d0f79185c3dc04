"""A small real photo as a browser would send it."""

from __future__ import annotations

import hashlib

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from tests.hostile.picture_files import saved


def photo_file(name: str = "a", *, data: bytes | None = None) -> SimpleUploadedFile:
    """A JPEG of its own colour for each name; or whatever ``data`` holds, under a photo's name."""
    if data is None:
        colour = tuple(hashlib.sha256(name.encode()).digest()[:3])
        data = saved("JPEG", Image.new("RGB", (64, 48), colour))
    return SimpleUploadedFile(f"{name}.jpg", data, content_type="image/jpeg")
