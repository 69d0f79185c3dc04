"""Our side as a client: other GeoReport servers, what is asked of them, and which of their requests is which of our cases."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Direction(models.TextChoices):
    """Which way a request went."""

    IN = "in", _("对方 → 我方")
    OUT = "out", _("我方 → 对方")


class Push(models.TextChoices):
    """What is handed over to the other side."""

    NEVER = "never", _("不送")
    CHOSEN = "chosen", _("工作台逐件选")
    MAPPED = "mapped", _("对照好的类型，立案后自动送")


class Use(models.TextChoices):
    """What becomes of a service of theirs."""

    TYPE = "type", _("按对照的类型")
    UNTYPED = "untyped", _("不定类型，由受理员看")
    LEAVE = "leave", _("不收")


class Partner(models.Model):
    """Another GeoReport server and the street that works with it."""

    # identity
    name = models.CharField(max_length=40, unique=True)
    base_url = models.CharField(max_length=400, help_text="up to /v2, without a slash at the end")
    jurisdiction = models.CharField(max_length=100, blank=True)
    key_sealed = models.TextField(blank=True)
    # what
    form = models.CharField(max_length=4, choices=[("json", "JSON"), ("xml", "XML")], default="json")
    pulls = models.BooleanField(default=True)
    push = models.CharField(max_length=10, choices=Push.choices, default=Push.CHOSEN)
    has_updates = models.BooleanField(default=False, help_text="it knows servicerequestupdates")
    services = models.JSONField(default=list, help_text="its list at the last test: code, name, is_asking")
    samples = models.JSONField(
        default=list, help_text="its newest requests at the last test, for the preview: no words of theirs"
    )
    # where
    street = models.ForeignKey("core.Street", on_delete=models.PROTECT, related_name="+")
    # when, who
    pulled_to = models.DateTimeField(null=True)
    updates_to = models.DateTimeField(null=True)
    followed_to = models.BigIntegerField(default=0, help_text="the newest event of ours that was looked at")
    tested_at = models.DateTimeField(null=True)
    paused_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    failures_in_row = models.PositiveSmallIntegerField(default=0)
    made_at = models.DateTimeField()
    made_by = models.BigIntegerField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(push__in=list(Push)), name="open311_partner_push_known")]

    def __str__(self) -> str:
        return self.name


class Mapping(models.Model):
    """One service of theirs for a type of ours (in), or one type of ours for a service of theirs (out)."""

    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="mappings")
    direction = models.CharField(max_length=3, choices=Direction.choices)
    their_code = models.CharField(max_length=100)
    event_type = models.ForeignKey("cases.EventType", null=True, on_delete=models.PROTECT, related_name="+")
    condition_key = models.CharField(max_length=30, blank=True)
    use = models.CharField(max_length=10, choices=Use.choices, default=Use.TYPE)
    attributes = models.JSONField(default=dict, help_text="answers their form wants, the same for every case (out)")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "their_code"], condition=Q(direction="in"), name="open311_in_once_a_service"
            ),
            models.UniqueConstraint(
                fields=["partner", "event_type"], condition=Q(direction="out"), name="open311_out_once_a_type"
            ),
            models.CheckConstraint(condition=~Q(use="type") | Q(event_type__isnull=False), name="open311_mapping_names_a_type"),
        ]


class Mirror(models.Model):
    """One matter on both sides: their request and our case."""

    class State(models.TextChoices):
        WAITING = "waiting"
        TOKEN = "token"
        KNOWN = "known"
        FAILED = "failed"

    # identity
    partner = models.ForeignKey(Partner, on_delete=models.PROTECT, related_name="mirrors")
    request_id = models.CharField(max_length=100, blank=True)
    token = models.CharField(max_length=200, blank=True)
    # what
    direction = models.CharField(max_length=3, choices=Direction.choices)
    state = models.CharField(max_length=10, choices=State.choices)
    error = models.CharField(max_length=200, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    their_code = models.CharField(max_length=100, blank=True)
    description = models.CharField(max_length=2000, blank=True, help_text="what was handed over (out)")
    their_status = models.CharField(max_length=20, blank=True)
    notes_hash = models.CharField(max_length=64, blank=True)
    # where
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="open311_mirrors")
    # when, who
    made_at = models.DateTimeField()
    made_by = models.BigIntegerField(null=True)
    asked_at = models.DateTimeField(help_text="when it was last asked after")

    class Meta:
        indexes = [models.Index(fields=["partner", "state", "asked_at"], name="open311_mirror_asked")]
        constraints = [
            models.UniqueConstraint(
                fields=["partner", "request_id"], condition=~Q(request_id=""), name="open311_mirror_once_a_request"
            ),
            models.UniqueConstraint(fields=["partner", "case"], name="open311_mirror_once_a_case"),
            models.CheckConstraint(condition=~Q(state="known") | ~Q(request_id=""), name="open311_mirror_known_has_an_id"),
        ]


class SeenUpdate(models.Model):
    """An update of a mirrored request that one side has from the other: it is told once, and never back."""

    mirror = models.ForeignKey(Mirror, on_delete=models.CASCADE, related_name="updates")
    update_id = models.CharField(max_length=100)
    said_hash = models.CharField(max_length=64)
    is_ours = models.BooleanField(help_text="we told it to them")
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["mirror", "update_id", "is_ours"], name="open311_update_seen_once")]


class Run(models.Model):
    """One round with a partner: what it brought, and what went wrong in plain words."""

    partner = models.ForeignKey(Partner, on_delete=models.CASCADE, related_name="runs")
    kind = models.CharField(max_length=10)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    counts = models.JSONField(default=dict)
    error = models.CharField(max_length=40, blank=True)
    detail = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["partner", "-id"], name="open311_run_newest")]
        constraints = [
            models.CheckConstraint(condition=Q(ended_at__gte=F("began_at")), name="open311_run_ends_after_it_begins")
        ]
