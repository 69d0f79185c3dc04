"""A flight's photos become an orthophoto and a surface model on a NodeODM server, step by step, by ``pyodm``.

Every step can be asked for again. The uuid of the task is ours: before photos are sent it stands in the row, so whoever comes
after a kill finds the task by it and sends nothing twice. Where the server lost the beginning of an upload another uuid is
taken, since NodeODM cannot begin one twice; all that were ever begun are looked up before the last one is committed. What the
server says in words goes no further than the row; its address holds the token and is never repeated.
"""

from __future__ import annotations

import errno
import resource
import shutil
import zipfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import requests
from pyodm import Node
from pyodm.exceptions import NodeConnectionError, NodeResponseError, OdmError
from pyodm.types import TaskStatus

from jiequ.sense import places
from jiequ.sense.engine.shapes import Unusable

from . import guarded

Tell = Callable[[dict[str, Any]], None]
SECONDS = 30  # of silence, a call
AT_ONCE, TRIES, WAIT = 4, 3, 2
OPTIONS = {"dsm": True, "orthophoto-resolution": 5, "dem-resolution": 10}
"""5 cm and 10 cm a pixel at the finest: what a comparison reads; the photos themselves keep more."""
WANTED = {"ortho": "odm_orthophoto/odm_orthophoto.tif", "dsm": "odm_dem/dsm.tif"}
RUNS = (TaskStatus.QUEUED, TaskStatus.RUNNING)
BUFFER = 1 << 20


class Server(Node):
    """pyodm's node at an address that may be https on any port, or have a path; its token goes to no other server."""

    def __init__(self, url: str, token: str) -> None:
        super().__init__("", 0, token, SECONDS)
        self.base = url.rstrip("/")

    def url(self, url: str, query: dict[str, Any] | None = None) -> str:
        words = dict(query or {}) | ({"token": self.token} if self.token else {})
        return f"{self.base}{url}" + (f"?{urlencode(words)}" if words else "")


class Known(Exception):
    """A task of ours was there already."""

    def __init__(self, uuid: str) -> None:
        super().__init__(uuid)
        self.uuid = uuid


def do(request: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """One ``step``: try, send, look, fetch, end. ``trouble`` in the answer: a code of what may pass; try again later.

    Raises Unusable for what will not pass by itself.
    """
    guarded.keep_to(request["url"], request["networks"])
    server = Server(request["url"], request["token"])
    try:
        return STEPS[request["step"]](server, request, tell)
    except NodeResponseError as fault:
        return {"trouble": "odm_refused", "said": _plain(fault)}
    except (OdmError, requests.RequestException, OSError, ValueError, KeyError) as fault:
        if guarded.was_refused():
            raise Unusable("address_not_allowed") from None
        if isinstance(fault, OSError) and fault.errno == errno.EFBIG:
            raise Unusable("odm_too_large") from None
        if isinstance(fault, OSError) and fault.errno is not None and not isinstance(fault, requests.RequestException):
            raise  # our own disk, say
        return {"trouble": "odm_gone" if isinstance(fault, NodeConnectionError | requests.RequestException) else "odm_nonsense"}


def _plain(fault: Exception) -> str:
    """The server's words, short and printable."""
    return "".join(one for one in str(fault) if one.isprintable())[:200]


def _try(server: Server, request: dict[str, Any], tell: Tell) -> dict[str, Any]:
    info = server.info()
    return {"answer": f"{info.engine} {info.engine_version}, NodeODM {info.version}"[:60], "most": info.max_images}


def _send(server: Server, request: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """The task's uuid; the photos go up unless the server has the task."""
    if known := _known(server, request["tried"]):
        return {"uuid": known}
    info, photos = server.info(), request["photos"]
    if info.max_images and len(photos) > int(info.max_images):
        raise Unusable("odm_too_many", most=int(info.max_images), photos=len(photos))
    if Node.compare_version(info.version, "1.4.0") < 0:
        raise Unusable("odm_old", version=str(info.version)[:20])
    with ExitStack() as held:
        files = _gathered(request, held)
        try:
            task = server.create_task(
                files, OPTIONS, name=request["name"], task_uuid=request["uuid"], outputs=list(WANTED.values()),
                skip_post_processing=True, parallel_uploads=AT_ONCE, max_retries=TRIES, retry_timeout=WAIT,
                progress_callback=lambda percent: _sent(server, request, tell, percent),
            )  # fmt: skip
        except Known as known_one:
            return {"uuid": known_one.uuid}
    if task.uuid != request["uuid"]:
        task.remove()
        raise Unusable("odm_old", version=str(info.version)[:20])
    return {"uuid": task.uuid}


def _sent(server: Server, request: dict[str, Any], tell: Tell, percent: float) -> None:
    """Told how far; at the end, before it is committed, an earlier try is looked for once more."""
    tell({"percent": int(percent)})
    if percent >= 100 and (known := _known(server, request["tried"])):
        raise Known(known)


def _known(server: Server, tried: Sequence[str]) -> str:
    """The first of these tasks that the server has; "" if none."""
    for uuid in tried:
        try:
            server.get_task(uuid).info()
        except NodeResponseError:
            continue
        return uuid
    return ""


def _gathered(request: dict[str, Any], held: ExitStack) -> list[str]:
    """The photos under names of their own: the server tells them apart by those."""
    store, folder = places.store_of(request["place"]), Path(request["work"]) / "photos"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    held.callback(shutil.rmtree, folder, ignore_errors=True)
    files = []
    for name, key in request["photos"]:
        try:
            source = held.enter_context(store.local(key))
        except KeyError:
            raise Unusable("file_gone") from None
        (folder / name).symlink_to(source.resolve())
        files.append(str(folder / name))
    return files


def _look(server: Server, request: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """How far it is. Unusable: it failed there, somebody cancelled it, or it is gone."""
    try:
        info = server.get_task(request["uuid"]).info()
    except NodeResponseError as fault:
        raise Unusable("odm_lost", said=_plain(fault)) from None
    if info.status is TaskStatus.FAILED:
        raise Unusable("odm_failed", said=_plain(Exception(info.last_error)))
    if info.status is TaskStatus.CANCELED:
        raise Unusable("odm_cancelled")
    percent = min(99, max(0, int(float(info.progress or 0))))
    return {"runs": info.status in RUNS, "percent": percent}


def _fetch(server: Server, request: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """The two files of the archive, each under its name in the work folder; ``dsm`` may be missing."""
    folder = Path(request["work"]) / "results"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    resource.setrlimit(resource.RLIMIT_FSIZE, (request["most_bytes"], resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    task = server.get_task(request["uuid"])
    archive = task.download_zip(str(folder), lambda percent: tell({"percent": int(percent)}), parallel_downloads=1)
    found = {}
    try:
        with zipfile.ZipFile(archive) as opened:
            for kind, name in WANTED.items():
                if name in opened.namelist():
                    found[kind] = str(_unpacked(opened, name, folder / f"{kind}.tif", request["most_bytes"]))
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError):
        return {"trouble": "odm_archive"}
    finally:
        Path(archive).unlink(missing_ok=True)
    if "ortho" not in found:
        raise Unusable("odm_empty")
    return found


def _unpacked(opened: zipfile.ZipFile, name: str, target: Path, most: int) -> Path:
    """One file of the archive, checked by its CRC as it is read; its name in there leads nowhere."""
    if opened.getinfo(name).file_size > most:
        raise Unusable("odm_too_large", most=most)
    with opened.open(name) as source, open(target, "wb") as file:
        written = 0
        while piece := source.read(BUFFER):
            written += len(piece)
            if written > most:
                raise Unusable("odm_too_large", most=most)
            file.write(piece)
    return target


def _end(server: Server, request: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """Nothing of ours is left there: whatever runs is cancelled, then removed."""
    gone = 0
    for uuid in request["tried"]:
        task = server.get_task(uuid)
        try:
            if task.info().status in RUNS:
                task.cancel()
            gone += bool(task.remove())
        except NodeResponseError:
            continue
    return {"removed": gone}


STEPS: dict[str, Callable[[Server, dict[str, Any], Tell], dict[str, Any]]] = {
    "try": _try, "send": _send, "look": _look, "fetch": _fetch, "end": _end,
}  # fmt: skip
