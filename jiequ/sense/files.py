"""This installation's store of imagery, as its settings say, and where files lie on their way in."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings

from .places import Store, checked, export_key, image_key, item_key, original_key, store_of

__all__ = ["can_read", "described", "export_key", "image_key", "incoming", "item_key", "original_key", "store", "work"]


def can_read() -> bool:
    """True if what reads imagery is installed here (the extra ``imagery``); nothing of it is loaded by asking."""
    return find_spec("rasterio") is not None and find_spec("rio_tiler") is not None


def described() -> dict[str, Any]:
    """The store in words that ``places.store_of`` reads."""
    if settings.SENSE_S3_BUCKET:
        return {
            "kind": "s3",
            "bucket": settings.SENSE_S3_BUCKET,
            "endpoint": settings.SENSE_S3_ENDPOINT,
            "key_id": settings.SENSE_S3_KEY_ID,
            "secret": settings.SENSE_S3_SECRET,
            "region": settings.SENSE_S3_REGION,
            "style": settings.SENSE_S3_STYLE,
            "scratch": str(scratch()),
        }
    return {"kind": "folder", "root": str(settings.SENSE / "store")}


def store() -> Store:
    """The installation's store."""
    return store_of(described())


def scratch() -> Path:
    """Where copies of a store's files lie while they are used."""
    return Path(settings.SENSE) / "scratch"


def incoming(token: str) -> Path:
    """The file of an upload that is on its way in."""
    return Path(settings.SENSE) / "incoming" / checked(token)


def work(name: str) -> Path:
    """A folder for one piece of work; emptied when it is done."""
    return Path(settings.SENSE) / "work" / checked(name)
