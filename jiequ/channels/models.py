"""Messages out: the outbox, the staff inbox, call-backs, and what is known of each port.

``about`` is an opaque reference ("case:<id>") that only its owner understands; see ``services.register_links``.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from .rules import CIRCUIT_OPENS_AFTER, CallState, Channel, MessageState


def _values(states: type[MessageState] | type[CallState] | type[Channel]) -> list[str]:
    return [state.value for state in states]


class Message(models.Model):
    """One notice on its way to one person, one duty post or one phone; the row is written with its reason."""

    # identity
    key = models.CharField(max_length=160, unique=True)
    about = models.CharField(max_length=80, blank=True)
    copy_of = models.ForeignKey("self", null=True, blank=True, on_delete=models.CASCADE, related_name="copies")
    # what
    template = models.CharField(max_length=60)
    facts = models.JSONField(default=dict)
    sentence = models.TextField(blank=True)
    language = models.CharField(max_length=10, default="zh-hans")
    is_urgent = models.BooleanField(default=False)
    # to whom
    street = models.ForeignKey("core.Street", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    to_person = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    to_role = models.CharField(max_length=32, blank=True)
    to_department = models.ForeignKey("people.Department", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    to_account_sealed = models.TextField(blank=True, default="")
    to_phone_sealed = models.TextField(blank=True)
    # how far
    state = models.CharField(max_length=16, default=MessageState.WAITING.value)
    channel = models.CharField(max_length=8, blank=True, default=Channel.NONE.value)
    tries = models.PositiveSmallIntegerField(default=0)
    round = models.PositiveSmallIntegerField(default=0)
    last_error = models.CharField(max_length=60, blank=True)
    port = models.CharField(max_length=32, blank=True)
    trail = models.JSONField(default=list, help_text="the ways that said no before: [way, class of failure]")
    provider_id = models.CharField(max_length=120, blank=True)
    # when
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="message_state_known", condition=Q(state__in=_values(MessageState))),
            models.CheckConstraint(name="message_channel_known", condition=Q(channel__in=_values(Channel))),
            models.CheckConstraint(
                name="message_one_recipient",
                condition=(Q(to_person__isnull=False) & Q(to_role=""))
                | (Q(to_person__isnull=True) & ~Q(to_role="") & Q(to_phone_sealed="", to_account_sealed=""))
                | (Q(to_person__isnull=True) & Q(to_role="")),
            ),
            models.CheckConstraint(
                name="message_sent_by_a_channel",
                condition=~Q(state__in=[MessageState.SENT.value, MessageState.DELIVERED.value])
                | ~Q(channel=Channel.NONE.value),
            ),
        ]
        indexes = [
            models.Index(fields=["about", "created_at"], name="message_about"),
            models.Index(fields=["due_at"], name="message_unsent", condition=Q(state__in=["waiting", "sending"])),
            models.Index(fields=["street", "-id"], name="message_lost", condition=Q(state="not_delivered")),
            models.Index(fields=["provider_id"], name="message_receipt", condition=Q(state="sent")),
        ]

    def __str__(self) -> str:
        return f"{self.template} {self.key} ({self.state})"


class InboxItem(models.Model):
    """A message as one member of staff sees it; whether it was read is shown to that person only."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="inbox_items")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    put_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "person"], name="inbox_once_a_person")]
        indexes = [
            models.Index(fields=["person", "-id"], name="inbox_newest"),
            models.Index(fields=["person"], name="inbox_unread", condition=Q(read_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"inbox {self.person_id}: message {self.message_id}"


class CallBack(models.Model):
    """A task for the desk: call this phone and read out this sentence."""

    # what
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="call_backs")
    round = models.PositiveSmallIntegerField(default=0)
    sentence = models.TextField()
    to_phone_sealed = models.TextField(blank=True)
    about = models.CharField(max_length=80, blank=True)
    is_urgent = models.BooleanField(default=False)
    # where
    street = models.ForeignKey("core.Street", null=True, on_delete=models.PROTECT, related_name="+")
    # how far
    state = models.CharField(max_length=12, default=CallState.OPEN.value)
    outcome = models.CharField(max_length=300, blank=True)
    # when, who
    opened_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["message", "round"], name="callback_once_a_round"),
            models.CheckConstraint(name="callback_state_known", condition=Q(state__in=_values(CallState))),
            models.CheckConstraint(
                name="callback_ended_by_someone",
                condition=Q(state=CallState.OPEN.value, done_at__isnull=True)
                | (~Q(state=CallState.OPEN.value) & Q(done_at__isnull=False, done_by__isnull=False)),
            ),
        ]
        indexes = [models.Index(fields=["street", "id"], name="callback_open", condition=Q(state="open"))]

    def __str__(self) -> str:
        return f"call back about {self.about} ({self.state})"


class PortHealth(models.Model):
    """What the last calls to a port taught: after some failures in a row it rests for a while."""

    port = models.CharField(max_length=32, unique=True)
    failures_in_row = models.PositiveIntegerField(default=0)
    open_until = models.DateTimeField(null=True, blank=True)

    @property
    def is_tired(self) -> bool:
        """True if it has failed so often that only a single call may try whether it is back."""
        return self.failures_in_row >= CIRCUIT_OPENS_AFTER

    def __str__(self) -> str:
        return f"{self.port}: {self.failures_in_row} failures in a row"


class StubSms(models.Model):
    """A text that would have gone out as SMS: the stub channel's whole world, shown on its own page."""

    key = models.CharField(max_length=160, unique=True)
    phone_tail = models.CharField(max_length=4)
    text = models.TextField()
    sent_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"…{self.phone_tail}: {self.text}"
