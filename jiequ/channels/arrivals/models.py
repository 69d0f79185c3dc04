"""The callback inbox. ``Arrival`` and ``Nonce`` lie in a database of their own (router.py), ``Mark`` in that of the effects."""

from __future__ import annotations

from enum import StrEnum

from django.db import models
from django.db.models import Q


class State(StrEnum):
    """Where an arrival stands."""

    WAITING = "waiting"
    DONE = "done"
    DEAD = "dead"


class Arrival(models.Model):
    """One message or event that a platform pushed: stored before it is answered, handed on after. Words and sender are sealed,
    and gone once it is done."""

    key = models.CharField(max_length=64, unique=True, help_text="what makes it the same message, blinded")
    channel = models.CharField(max_length=16)
    account = models.CharField(max_length=80)
    kind = models.CharField(max_length=32)
    event = models.CharField(max_length=64, blank=True)
    lane = models.CharField(max_length=64, help_text="its sender, blinded: one sender's arrivals are handed on in order")
    body_sealed = models.TextField(blank=True)

    sent_at = models.DateTimeField()
    arrived_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    state = models.CharField(max_length=8, default=State.WAITING)
    run_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    claims = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["lane", "id"], condition=Q(state="waiting"), name="arrival_waiting_by_lane"),
            models.Index(fields=["id"], condition=Q(state="waiting"), name="arrival_waiting"),
            models.Index(fields=["state", "ended_at"], name="arrival_by_end"),
        ]


class Nonce(models.Model):
    """A timestamp and nonce that a signed callback came with: kept while that is good, so that none is played twice."""

    key = models.CharField(max_length=64, unique=True)
    at = models.DateTimeField(db_index=True)


class Mark(models.Model):
    """An arrival whose effect is stored: written in the transaction of the effect, so that there is one and never two."""

    key = models.CharField(max_length=64, unique=True)
    at = models.DateTimeField(db_index=True)
