"""Our side as a server: what is open to everybody, and what came in."""

from __future__ import annotations

from django.db import models


class Opening(models.Model):
    """A street whose cases the door shows to everybody. No row: it shows none of them."""

    street = models.OneToOneField("core.Street", on_delete=models.PROTECT, primary_key=True, related_name="+")
    contact = models.CharField(max_length=200, blank=True, help_text="whom to ask; stands in the discovery document")
    changed_at = models.DateTimeField()
    changed_by = models.BigIntegerField(null=True)

    def __str__(self) -> str:
        return str(self.street)


class HiddenType(models.Model):
    """An event type that is marked not public: no service, and no case of it is shown. Confidential types never are."""

    event_type = models.OneToOneField("cases.EventType", on_delete=models.PROTECT, primary_key=True, related_name="+")
    changed_at = models.DateTimeField()


class Publication(models.Model):
    """What somebody at the desk wrote for everybody about one case; without it the type alone is told."""

    case = models.OneToOneField("cases.Case", on_delete=models.PROTECT, primary_key=True, related_name="open311_publication")
    words = models.CharField(max_length=500, blank=True)
    changed_at = models.DateTimeField()
    changed_by = models.BigIntegerField(null=True)


class PublishedPhoto(models.Model):
    """A photo that somebody at the desk looked at and let everybody see."""

    # goes with its photo: whoever sent it may have it erased (PIPL §47), and an undone step takes its photos back
    proof = models.OneToOneField("cases.Proof", on_delete=models.CASCADE, primary_key=True, related_name="+")
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    by_id = models.BigIntegerField(null=True, db_column="by_person_id")


class MediaFetch(models.Model):
    """A picture that a caller pointed to (``media_url``), to be fetched by a job; the address is sealed and soon forgotten."""

    class State(models.TextChoices):
        WAITING = "waiting"
        KEPT = "kept"
        FAILED = "failed"

    report = models.ForeignKey("cases.Report", on_delete=models.PROTECT, related_name="+")
    url_sealed = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    error = models.CharField(max_length=40, blank=True)
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["state", "made_at"], name="open311_media_state")]


class TakenUpdate(models.Model):
    """An update that a caller posted, so that its repeat is known: ``update_id`` is the caller's own number."""

    caller = models.CharField(max_length=40)
    update_id = models.CharField(max_length=100)
    said_hash = models.CharField(max_length=64)
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="+")
    event_id = models.BigIntegerField()
    at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["caller", "update_id"], name="open311_update_once_a_caller")]
