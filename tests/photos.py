"""Small photos for forms: real JPEG bytes, each with a look of its own."""

from __future__ import annotations

from io import BytesIO

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image


def jpeg(name: str = "photo.jpg", *, colour: tuple[int, int, int] = (90, 120, 60), size: tuple[int, int] = (640, 480)) -> bytes:
    """The bytes of a JPEG of one colour."""
    made = BytesIO()
    Image.new("RGB", size, colour).save(made, "JPEG", comment=name.encode())
    return made.getvalue()


def upload(name: str = "photo.jpg", **look: object) -> SimpleUploadedFile:
    """A JPEG as a form sends it."""
    return SimpleUploadedFile(name, jpeg(name, **look), "image/jpeg")  # type: ignore[arg-type]


def heic(name: str = "photo.heic") -> SimpleUploadedFile:
    """The beginning of a HEIC file: enough to be known for what it is."""
    return SimpleUploadedFile(name, b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + b"\x00" * 256, "image/heic")
