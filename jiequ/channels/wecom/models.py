"""What we keep of WeCom: its departments and member ids, who of ours a member is, how a sync went, cards that were sent."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from .rules import CardState, MatchedBy


class WecomDepartment(models.Model):
    """A department of the corporation: what tells the administrator where a member works. Names nobody."""

    number = models.BigIntegerField(unique=True)
    name = models.CharField(max_length=120, blank=True)
    parent = models.BigIntegerField(default=0)
    sync = models.ForeignKey("wecom.Sync", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    def __str__(self) -> str:
        return self.name or str(self.number)


class WecomUserQuerySet(models.QuerySet["WecomUser"]):
    """Members by whether they can be reached."""

    def present(self) -> WecomUserQuerySet:
        """Those that are in the contacts still."""
        return self.filter(gone_at=None)


class WecomUser(models.Model):
    """A member of the corporation by its id, and who of our staff that is. No name, phone or picture is taken from WeCom."""

    # identity
    userid = models.CharField(max_length=64, unique=True)
    # where
    departments = models.JSONField(default=list)
    # who
    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="wecom_user"
    )
    matched_by = models.CharField(max_length=16, blank=True, default=MatchedBy.NOBODY.value)
    # when
    matched_at = models.DateTimeField(null=True, blank=True)
    gone_at = models.DateTimeField(null=True, blank=True)
    sync = models.ForeignKey("wecom.Sync", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    objects = WecomUserQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="wecom_user_gone_is_nobody", condition=Q(gone_at=None) | Q(person=None)
            ),  # an id may be given to somebody else later
            models.CheckConstraint(name="wecom_user_matched_has_time", condition=Q(person=None) | Q(matched_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"member {self.pk}"


class Sync(models.Model):
    """One pass through the contacts: how far it came, what it found, why it ended."""

    # how far
    cursor = models.CharField(max_length=400, blank=True)
    pages = models.PositiveIntegerField(default=0)
    departments = models.PositiveIntegerField(default=0)
    members = models.PositiveIntegerField(default=0)
    added = models.PositiveIntegerField(default=0)
    gone = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=60, blank=True)
    # when, who
    begun_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    begun_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["error"], condition=Q(ended_at=None), name="wecom_one_sync_at_a_time")
        ]  # one that runs has no error yet, so there is one such row

    def __str__(self) -> str:
        return f"sync {self.pk}"


class Card(models.Model):
    """A card with buttons on one member's phone: what it is about, and what became of it."""

    # identity
    task_id = models.CharField(max_length=128, unique=True)
    key = models.CharField(max_length=160)
    # what
    about = models.CharField(max_length=80)
    said = models.JSONField(default=dict)
    """The words on it (``cards.Said`` as a dict): what a notice may carry and no more."""
    language = models.CharField(max_length=10, default="zh-hans")
    seen_version = models.BigIntegerField(default=0)
    """How far its owner had come when the card was drawn (see ``deeds.Deeds.mark``)."""
    # who
    userid = models.CharField(max_length=64)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    # how far
    state = models.CharField(max_length=8, default=CardState.OPEN.value)
    response_code = models.CharField(max_length=200, blank=True)
    outcome = models.CharField(max_length=200, blank=True)
    # when
    sent_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="wecom_card_state_known", condition=Q(state__in=[s.value for s in CardState]))
        ]
        indexes = [models.Index(fields=["about"], name="wecom_card_open", condition=Q(state="open"))]

    def __str__(self) -> str:
        return f"card {self.pk} ({self.state})"
