"""Threads that make slow calls for others. One whose call does not come back in time is left behind and another takes over.

Python cannot stop a thread; what bounds the number of those left behind is for the caller to say (``left_behind``).
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

from django.db import close_old_connections, connections

IDLE_SECONDS = 30.0


class TookTooLong(Exception):
    """A call did not come back within its time."""


class Hands:
    """As many threads as there are calls at a time, each kept a while for the next with its database connection."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.left_behind = 0
        self._idle: list[_Hand] = []
        self._lock = threading.Lock()

    def call(self, act: Callable[[], Any], seconds: float) -> Any:
        """What ``act`` returns or raises; TookTooLong after so many ``seconds``."""
        with self._lock:
            hand = self._idle.pop() if self._idle else None
        hand = hand or _Hand(self)
        try:
            outcome, value = hand.do(act, seconds)
        except queue.Empty:
            with self._lock:
                self.left_behind += 1
            hand.leave(self._came_back)
            raise TookTooLong(f"no answer within {seconds:g} s") from None
        with self._lock:
            self._idle.append(hand)
        if outcome == "raised":
            raise value
        return value

    def _came_back(self) -> None:
        with self._lock:
            self.left_behind -= 1

    def dismiss(self, hand: _Hand) -> bool:
        """A hand that has long been idle may go; False if it has just been given something to do."""
        with self._lock:
            if hand not in self._idle:
                return False
            self._idle.remove(hand)
            return True

    def close(self) -> None:
        """Let the idle ones go."""
        with self._lock:
            idle, self._idle = self._idle, []
        for hand in idle:
            hand.leave(None)


class _Hand:
    """One daemon thread with its own database connection."""

    def __init__(self, owner: Hands) -> None:
        self._owner = owner
        self._calls: queue.SimpleQueue[Callable[[], Any] | None] = queue.SimpleQueue()
        self._answers: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
        self._on_leaving: Callable[[], None] | None = None
        threading.Thread(target=self._serve, daemon=True, name=f"hand {owner.name}").start()

    def do(self, call: Callable[[], Any], seconds: float) -> tuple[str, Any]:
        self._calls.put(call)
        return self._answers.get(timeout=seconds)

    def leave(self, on_leaving: Callable[[], None] | None) -> None:
        """End once the call in hand, if any, comes back."""
        self._on_leaving = on_leaving
        self._calls.put(None)

    def _serve(self) -> None:
        try:
            while (call := self._next()) is not None:
                close_old_connections()
                try:
                    answer = ("returned", call())
                except Exception as error:
                    answer = ("raised", error)
                self._answers.put(answer)
        finally:
            connections.close_all()
            if self._on_leaving:
                self._on_leaving()

    def _next(self) -> Callable[[], Any] | None:
        while True:
            try:
                return self._calls.get(timeout=IDLE_SECONDS)
            except queue.Empty:
                if self._owner.dismiss(self):
                    return None
