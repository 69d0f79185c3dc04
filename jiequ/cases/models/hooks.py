"""Webhooks: who is told of cases' events, and what became of each telling."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Webhook(models.Model):
    """Another system's address that is told of events of the chosen kinds, in one street or in all."""

    name = models.CharField(max_length=40, unique=True)
    url = models.CharField(max_length=500)
    secret_sealed = models.TextField()
    old_secret_sealed = models.TextField(blank=True)
    old_secret_until = models.DateTimeField(null=True)

    events = models.JSONField(default=list)
    begins_after = models.BigIntegerField(default=0, help_text="events up to this one happened before it was made")
    followed_to = models.BigIntegerField(default=0, help_text="the newest event that was looked at")
    gaps = models.JSONField(default=list, help_text="numbers that were passed over: [first, last, when (epoch seconds)]")
    failures_in_row = models.PositiveIntegerField(default=0)

    street = models.ForeignKey("core.Street", null=True, on_delete=models.PROTECT, related_name="+")

    made_at = models.DateTimeField()
    paused_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    made_by = models.ForeignKey("people.Person", null=True, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return self.name


class Delivery(models.Model):
    """One event told to one webhook: the bytes that are sent, the same at each try, and how far it got."""

    class State(models.TextChoices):
        WAITING = "waiting"
        DELIVERED = "delivered"
        NOT_DELIVERED = "not_delivered"
        WITHDRAWN = "withdrawn"

    key = models.CharField(max_length=40, unique=True)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    event_id = models.BigIntegerField(null=True, help_text="null: a test call")
    case = models.ForeignKey("cases.Case", null=True, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=40)
    body = models.TextField()

    state = models.CharField(max_length=14, choices=State.choices, default=State.WAITING)
    round = models.PositiveIntegerField(default=0, help_text="counts tries and resends; names the job")
    is_queued = models.BooleanField(default=False, help_text="a job for this round stands in the queue")
    tries = models.PositiveIntegerField(default=0)
    status = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=40, blank=True)

    made_at = models.DateTimeField()
    due_at = models.DateTimeField()
    next_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["webhook", "-id"], name="delivery_newest"),
            models.Index(fields=["webhook", "case", "id"], condition=Q(state="waiting"), name="delivery_waiting"),
            models.Index(fields=["case", "id"], name="delivery_by_case"),
            models.Index(fields=["ended_at"], condition=~Q(state="waiting"), name="delivery_ended"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["webhook", "event_id"], condition=Q(event_id__isnull=False), name="delivery_once_an_event"
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", ended_at=None) | (~Q(state="waiting") & Q(ended_at__isnull=False)),
                name="delivery_ended_has_time",
            ),
        ]
