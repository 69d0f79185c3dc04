"""A small file of the store, for a page."""

from __future__ import annotations

from pathlib import Path

from django.utils.translation import gettext as _

from jiequ.core.errors import Refusal

from .. import children, files

SECONDS = 20.0


def bytes_of(key: str) -> bytes:
    """The file's bytes; KeyError if there is none. Raises Refusal where the store does not answer."""
    return path_of(key).read_bytes()


def path_of(key: str) -> Path:
    """Where the file, or a copy that is kept a while, can be read; KeyError if there is none.

    From a store elsewhere it comes by a child process. Raises Refusal where the store does not answer.
    """
    place = files.described()
    if place["kind"] == "folder":
        with files.store().local(key) as own:
            return Path(own)
    kept = files.scratch() / key
    return kept if kept.is_file() else _fetched(place, key)


def _fetched(place: dict[str, str], key: str) -> Path:
    try:
        told = children.once("fetch", {"do": "fetch", "place": place, "key": key}, seconds=SECONDS)
    except children.ChildFailed:
        told = {"fault": "too_long"}
    if told.get("fault") == "file_gone":
        raise KeyError(key)
    if "fault" in told:
        raise Refusal("store_away", _("影像库现在没有回应，请稍后再试。"))
    return Path(told["path"])
