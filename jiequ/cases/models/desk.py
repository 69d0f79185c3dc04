"""What the desk keeps beside the cases: several moved at once, who reads what now, the watch list, the change of shift."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Lot(models.Model):
    """Up to fifty cases that one person accepts or dispatches at once; each goes by a move of its own. Gone after a day."""

    # identity
    key = models.CharField(max_length=128)
    # what
    move = models.CharField(max_length=24)
    values = models.JSONField(default=dict)
    back_to = models.CharField(max_length=300, blank=True)
    # when
    made_at = models.DateTimeField(db_index=True)
    # who
    person = models.ForeignKey("people.Person", on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "key"], name="lot_once_a_key")]


class LotItem(models.Model):
    """One case of a lot: not yet tried, moved, refused with its sentence, or taken back."""

    class State(models.TextChoices):
        WAITING = "waiting"
        DONE = "done"
        REFUSED = "refused"
        UNDONE = "undone"

    # what
    lot = models.ForeignKey(Lot, on_delete=models.CASCADE, related_name="items")
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="+")
    version = models.PositiveIntegerField(help_text="of the case, as the page showed it")
    # how far
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    event_id = models.BigIntegerField(null=True)
    sentence = models.CharField(max_length=300, blank=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["lot", "case"], name="lot_item_once_a_case")]


class Reading(models.Model):
    """Somebody has this case open at the desk now. It ends by itself within a minute, and nothing of it is kept."""

    case = models.ForeignKey("cases.Case", on_delete=models.CASCADE, related_name="+")
    person = models.ForeignKey("people.Person", on_delete=models.CASCADE, related_name="+")
    ends_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "person"], name="reading_once_a_person")]


class WatchItem(models.Model):
    """A case a street's desk keeps an eye on, with a word why, until somebody takes it off."""

    # what
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="+")
    text = models.CharField(max_length=200)
    # where
    street = models.ForeignKey("core.Street", on_delete=models.PROTECT, related_name="+")
    # when
    put_at = models.DateTimeField()
    off_at = models.DateTimeField(null=True)
    # who
    put_by = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="+")
    off_by = models.ForeignKey("people.Person", null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case"], condition=Q(off_at__isnull=True), name="watch_item_open_once"),
            models.CheckConstraint(
                condition=Q(off_at__isnull=True, off_by__isnull=True) | Q(off_at__isnull=False, off_by__isnull=False),
                name="watch_item_taken_off_by_someone",
            ),
        ]
        indexes = [models.Index(fields=["street"], condition=Q(off_at__isnull=True), name="watch_item_open")]


class Handover(models.Model):
    """交接班: what one shift of a street's desk leaves to the next, as the ledger stood, and a word of its own."""

    # what
    text = models.TextField(blank=True)
    facts = models.JSONField(default=dict, help_text="section → [{case, number, …}] as they stood; no words of a reporter")
    # where
    street = models.ForeignKey("core.Street", on_delete=models.PROTECT, related_name="+")
    # when
    given_at = models.DateTimeField()
    taken_at = models.DateTimeField(null=True)
    # who
    given_by = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="+")
    taken_by = models.ForeignKey("people.Person", null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(taken_at__isnull=True, taken_by__isnull=True) | Q(taken_at__isnull=False, taken_by__isnull=False),
                name="handover_taken_by_someone",
            ),
        ]
        indexes = [models.Index(fields=["street", "-id"], name="handover_newest")]
