"""What the chat keeps: whom it speaks with, and the reports that are being told. Gone within days (docs/retention.md)."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from .flow import Kind, State


class Talk(models.Model):
    """What is remembered of a follower between two messages: their language, and that they have read the privacy notice."""

    follower_id = models.BigIntegerField(primary_key=True)
    language = models.CharField(max_length=10, default="zh-hans")
    noticed_at = models.DateTimeField(null=True)


class Draft(models.Model):
    """A report that is being told in a chat. One open draft a follower; done, it only says which report it became."""

    key = models.CharField(max_length=64, unique=True, help_text="the report's outside reference")
    follower_id = models.BigIntegerField()
    state = models.CharField(max_length=8, choices=[(state.value, state.value) for state in State], default=State.OPEN)
    language = models.CharField(max_length=10, default="zh-hans")
    report_id = models.BigIntegerField(null=True)
    number = models.CharField(max_length=40, blank=True)

    began_at = models.DateTimeField()
    touched_at = models.DateTimeField(help_text="when its last piece was sent")
    confirmed_at = models.DateTimeField(null=True)
    reminded_at = models.DateTimeField(null=True)
    holds = models.PositiveIntegerField(default=0, help_text="counts who took hold of it (drafts.hold)")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["follower_id"], condition=Q(state="open"), name="chat_one_open_draft_a_follower"),
            models.CheckConstraint(
                condition=Q(state="done", report_id__isnull=False) | ~Q(state="done") & Q(report_id=None),
                name="chat_done_has_report",
            ),
        ]
        indexes = [
            models.Index(fields=["follower_id", "touched_at"], name="chat_draft_by_follower"),
            models.Index(fields=["touched_at"], name="chat_draft_by_touched", condition=~Q(state="done")),
        ]


class Piece(models.Model):
    """One message of a draft: a photo, words, a voice or a place."""

    class Fetch(models.TextChoices):
        """A photo or voice on its way to us."""

        NONE = ""
        WAITING = "waiting"
        KEPT = "kept"

    draft = models.ForeignKey(Draft, on_delete=models.CASCADE, related_name="pieces")
    key = models.CharField(max_length=200, unique=True, help_text="the message it came in")
    kind = models.CharField(max_length=8, choices=[(kind.value, kind.value) for kind in Kind])
    at = models.DateTimeField()
    words = models.TextField(blank=True)
    x = models.FloatField(null=True)
    y = models.FloatField(null=True)
    system = models.CharField(max_length=10, blank=True)
    sure = models.CharField(max_length=1, blank=True, help_text="how well a place is known; empty: it says none")
    place_words = models.CharField(max_length=200, blank=True)
    media_id = models.CharField(max_length=200, blank=True)
    fetch = models.CharField(max_length=8, choices=Fetch.choices, blank=True)
    picture = models.ForeignKey("core.Picture", null=True, on_delete=models.PROTECT, related_name="+")


class Voice(models.Model):
    """A recording that belongs to a report: evidence, sealed, heard by the desk of its street only."""

    report_id = models.BigIntegerField(null=True, help_text="empty while its draft is not confirmed")
    piece = models.OneToOneField(Piece, null=True, on_delete=models.SET_NULL, related_name="voice")
    sound_sealed = models.TextField(help_text="base64, sealed")
    format = models.CharField(max_length=8, default="amr")
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["report_id"], name="chat_voice_by_report")]
