"""Standard replies: sentences for reporters, kept by edition."""

from __future__ import annotations

from django.db import models


class StandardReply(models.Model):
    """One edition of a sentence a street's desk writes often to reporters; the newest edition of a key counts."""

    # identity
    key = models.CharField(max_length=40)
    edition = models.PositiveIntegerField()
    # what
    move = models.CharField(max_length=24)
    reason_code = models.CharField(max_length=30, blank=True, help_text="only with this reason; empty: with any")
    event_type = models.ForeignKey("cases.EventType", null=True, on_delete=models.PROTECT, related_name="+")
    title_zh = models.CharField(max_length=60)
    title_en = models.CharField(max_length=120)
    body_zh = models.TextField()
    body_en = models.TextField()
    is_active = models.BooleanField(default=True)
    # where
    street = models.ForeignKey("core.Street", on_delete=models.PROTECT, related_name="+")
    # when, who
    made_at = models.DateTimeField()
    made_by = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["street", "key", "edition"], name="standard_reply_edition_once")]
