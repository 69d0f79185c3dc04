"""What people say about the system itself."""

from __future__ import annotations

from enum import StrEnum

from django.db import models
from django.db.models import Q


class SuggestionState(StrEnum):
    """A suggestion is open until an administrator has answered it."""

    OPEN = "open"
    ANSWERED = "answered"


class Suggestion(models.Model):
    """A complaint or suggestion about the system; its writer stays unnamed and reads the answer by a private link."""

    token_hash = models.CharField(max_length=64, unique=True)

    state = models.CharField(max_length=10, default=SuggestionState.OPEN)
    text = models.CharField(max_length=1000)
    answer = models.CharField(max_length=1000, blank=True)

    page = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=10)

    made_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)

    answered_by_id = models.BigIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(text=""), name="suggestion_says_something"),
            models.CheckConstraint(
                condition=Q(state=SuggestionState.OPEN, answer="", answered_at=None)
                | Q(state=SuggestionState.ANSWERED, answered_at__isnull=False) & ~Q(answer=""),
                name="suggestion_answered_has_an_answer",
            ),
        ]
        indexes = [models.Index(fields=["state", "-id"], name="suggestion_by_state")]

    def __str__(self) -> str:
        return f"{self.state} {self.pk}"
