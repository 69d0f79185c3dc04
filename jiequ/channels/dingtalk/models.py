"""What the robot has to say, until it is said."""

from __future__ import annotations

from django.db import models


class Alert(models.Model):
    """One thing the group should hear: a kind, and facts a notice may carry (number, type, grid, due) or our own codes."""

    # identity
    key = models.CharField(max_length=160, unique=True)
    message_key = models.CharField(max_length=160, blank=True)
    """The notice it follows: withdrawn with it."""
    # what
    kind = models.CharField(max_length=20)
    facts = models.JSONField(default=dict)
    # how far
    error = models.CharField(max_length=60, blank=True)
    # when
    made_at = models.DateTimeField()
    due_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["due_at"], name="dingtalk_unsaid", condition=models.Q(ended_at=None))]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"
