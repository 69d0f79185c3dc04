"""A server that speaks NodeODM's HTTP API (version 2) on this machine, answering as ``libs/taskNew.js`` and ``index.js`` do.

It keeps what it was sent, moves a task on at each look, and goes wrong as told. Written from the API's documentation and the
observed answers; the client that talks to it is the real ``pyodm``.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.loopback import Handler, listening

QUEUED, RUNNING, FAILED, COMPLETED, CANCELED = 10, 20, 30, 40, 50
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@dataclass
class Task:
    """One task there."""

    uuid: str
    name: str
    options: list[dict[str, Any]]
    photos: dict[str, bytes]
    status: int = QUEUED
    progress: float = 0.0


@dataclass
class NodeOdm:
    """``results``: what ``all.zip`` holds. ``looks``: how many looks a task takes to its end. What goes wrong, as told:

    ``full``: no new task is begun. ``fails``: tasks fail with these words. ``cut``: so many bytes of the archive come.
    ``hangs_after``: uploads are answered up to this one, the next is never. ``token``: asked for if it is not empty.
    """

    url: str = ""
    results: dict[str, bytes] = field(default_factory=dict)
    looks: int = 2
    full: str = ""
    fails: str = ""
    cut: int | None = None
    hangs_after: int | None = None
    token: str = ""
    version: str = "2.2.4"
    most: int | None = None
    redirect: str = ""
    begun: dict[str, dict[str, Any]] = field(default_factory=dict)  # tmp/<uuid>
    tasks: dict[str, Task] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    committed: int = 0
    uploads: int = 0

    def archive(self) -> bytes:
        """``all.zip``."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as opened:
            for name, data in self.results.items():
                opened.writestr(name, data)
        whole = buffer.getvalue()
        return whole if self.cut is None else whole[: self.cut]


@contextmanager
def node_odm(**told: Any) -> Iterator[NodeOdm]:
    """Such a server for the time of a test."""
    state = NodeOdm(**told)

    class Theirs(_Theirs):
        server_state = state

    with listening(Theirs) as address:
        state.url = address
        yield state


class _Theirs(Handler):
    server_state: NodeOdm

    def do_GET(self) -> None:
        self._answer("GET", {})

    def do_POST(self) -> None:
        self._answer("POST", _parts(self.headers.get("Content-Type", ""), self.body()))

    def _answer(self, method: str, sent: dict[str, list[tuple[str, bytes]]]) -> None:
        state, parts = self.server_state, urlsplit(self.path)
        state.calls.append(f"{method} {parts.path}")
        if state.redirect:
            return self.send(302, Location=state.redirect)
        if state.token and parse_qs(parts.query).get("token") != [state.token]:
            return self.say({"error": "Invalid authentication token"}, 401)
        match parts.path.strip("/").split("/"):
            case ["info"]:
                told = {"version": state.version, "taskQueueCount": len(state.tasks), "maxImages": state.most}
                self.say({**told, "engine": "odm", "engineVersion": "3.5.4"})
            case ["task", "new", "init"]:
                self._init(sent)
            case ["task", "new", "upload", uuid]:
                self._upload(uuid, sent)
            case ["task", "new", "commit", uuid]:
                self._commit(uuid)
            case ["task", "cancel"] | ["task", "remove"]:
                self._end(parts.path.endswith("cancel"), sent)
            case ["task", uuid, *what] if uuid in state.tasks:
                self._task(state.tasks[uuid], what)
            case ["task", uuid, *_rest]:
                self.say({"error": f"{uuid} not found"})
            case _:
                self.send(404)

    def _init(self, sent: dict[str, list[tuple[str, bytes]]]) -> None:
        state, uuid = self.server_state, self.headers.get("set-uuid", "")
        if not UUID.fullmatch(uuid) or uuid in state.tasks:
            return self.say({"error": f"Invalid set-uuid: {uuid}"})
        if state.full:
            return self.say({"error": state.full})
        if uuid in state.begun:  # its own handler trips over this: TypeError, and the connection breaks
            return self.connection.close()
        state.begun[uuid] = {
            "name": sent["name"][0][1].decode(), "options": json.loads(sent["options"][0][1]), "photos": {}
        }  # fmt: skip
        self.say({"uuid": uuid})

    def _upload(self, uuid: str, sent: dict[str, list[tuple[str, bytes]]]) -> None:
        state = self.server_state
        if uuid not in state.begun:
            return self.say({"error": "Invalid uuid (not found)"})
        if state.hangs_after is not None and state.uploads >= state.hangs_after:
            self.rfile.read(1)  # until the other side is gone
            return None
        state.uploads += 1
        state.begun[uuid]["photos"] |= dict(sent["images"])
        self.say({"success": True})

    def _commit(self, uuid: str) -> None:
        state = self.server_state
        if uuid not in state.begun:
            return self.say({"error": "ENOENT: no such file or directory"})
        state.committed += 1
        state.tasks[uuid] = Task(uuid, **state.begun.pop(uuid))
        self.say({"uuid": uuid})

    def _end(self, is_cancel: bool, sent: dict[str, list[tuple[str, bytes]]]) -> None:
        state, uuid = self.server_state, sent["uuid"][0][1].decode()
        if uuid not in state.tasks:
            return self.say({"error": f"{uuid} not found"})
        if is_cancel:
            state.tasks[uuid].status = CANCELED
            state.cancelled.append(uuid)
        else:
            del state.tasks[uuid]
            state.removed.append(uuid)
        self.say({"success": True})

    def _task(self, task: Task, what: list[str]) -> None:
        state = self.server_state
        match what:
            case ["info"]:
                self.say(_info(task))
                _move_on(task, state)
            case ["output"]:
                self.say(["Initializing OpenDroneMap app", "Finished dataset stage"])
            case ["download", "all.zip"] if task.status == COMPLETED:
                self.send(200, state.archive(), **{"Content-Type": "application/zip"})
            case _:
                self.say({"error": "Invalid asset"})

    def say(self, answer: Any, status: int = 200) -> None:
        """JSON."""
        self.send(status, json.dumps(answer).encode(), **{"Content-Type": "application/json; charset=utf-8"})


def _info(task: Task) -> dict[str, Any]:
    status: dict[str, Any] = {"code": task.status}
    if task.status == FAILED:
        status["errorMessage"] = task.name
    return {"uuid": task.uuid, "name": task.name, "dateCreated": 1764200000000, "processingTime": 1000, "status": status,
            "options": task.options, "imagesCount": len(task.photos), "progress": task.progress}  # fmt: skip


def _move_on(task: Task, state: NodeOdm) -> None:
    if task.status in (QUEUED, RUNNING):
        task.progress += 100 / state.looks
        task.status = RUNNING
        if task.progress >= 100:
            task.status = FAILED if state.fails else COMPLETED
            task.name = state.fails or task.name


def _parts(kind: str, body: bytes) -> dict[str, list[tuple[str, bytes]]]:
    """The fields of a form: name → (file name, content)."""
    if kind.startswith("application/x-www-form-urlencoded"):
        return {name: [("", value.encode()) for value in values] for name, values in parse_qs(body.decode()).items()}
    if not kind.startswith("multipart/"):
        return {}
    found: dict[str, list[tuple[str, bytes]]] = {}
    for part in BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body).iter_parts():
        told = part["Content-Disposition"].params
        found.setdefault(told["name"], []).append((told.get("filename", ""), part.get_payload(decode=True)))
    return found
