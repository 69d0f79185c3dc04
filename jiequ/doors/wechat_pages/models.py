"""Pages in WeChat: the tying of a WeChat to somebody on the roster, codes on plates, printed sheets."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from .rules import OPEN_STATES, BindState


class Binding(models.Model):
    """One try to tie a WeChat to a person of the roster: code shown, scanned, "this is me" said, confirmed."""

    # identity
    secret_hash = models.CharField(max_length=64, unique=True, help_text="of the secret in the code's scene")
    # what
    qr_url = models.CharField(max_length=200, help_text="what the code says; worth nothing after ten minutes")
    check_code = models.CharField(max_length=4, help_text="shown on both screens, so that the right phone is confirmed")
    state = models.CharField(max_length=8, choices=[(s.value, s.value) for s in BindState], default=BindState.SHOWN.value)
    # when
    made_at = models.DateTimeField()
    ends_at = models.DateTimeField(db_index=True)
    ended_at = models.DateTimeField(null=True)
    # who
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    follower = models.ForeignKey("wechat.Follower", null=True, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person"], condition=Q(state__in=[s.value for s in OPEN_STATES]), name="binding_one_open_a_person"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["shown", "ended"]) | Q(follower__isnull=False), name="binding_has_follower"
            ),
        ]


class PlateCode(models.Model):
    """The permanent code of a plate; WeChat gives the same one for a scene for ever, and an account has 100,000."""

    scene = models.CharField(max_length=64, primary_key=True)
    url = models.CharField(max_length=200)
    made_at = models.DateTimeField()


class Sheet(models.Model):
    """Plates to print, as PDF: asked for, made by a job, fetched by whoever asked, gone after a day."""

    class State(models.TextChoices):
        WAITING = "waiting"
        READY = "ready"
        FAILED = "failed"
        GONE = "gone"

    # identity
    key = models.CharField(max_length=64, unique=True)
    # what
    community = models.ForeignKey("grid.Community", null=True, on_delete=models.PROTECT, related_name="+")
    language = models.CharField(max_length=10, default="zh-hans")
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    plates = models.PositiveIntegerField(default=0)
    size_bytes = models.BigIntegerField(default=0)
    error = models.CharField(max_length=60, blank=True)
    # when, who, where
    asked_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    street = models.ForeignKey("core.Street", on_delete=models.PROTECT, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["person", "-id"], name="sheet_of_person")]
