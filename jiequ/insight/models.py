"""What insight keeps: what each case counts for, the days added up, how far it has read; and files somebody asked for."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class CaseCount(models.Model):
    """What one case counts for (rules.marks_of), with the day of each basis. Derived from the ledger, never entered."""

    # identity
    case = models.OneToOneField("cases.Case", on_delete=models.PROTECT, primary_key=True, related_name="+")
    # what
    parts = models.BigIntegerField(default=0)
    event_type = models.ForeignKey("cases.EventType", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    # where
    street = models.ForeignKey("core.Street", on_delete=models.PROTECT, related_name="+", db_index=False)
    community = models.ForeignKey("grid.Community", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    department = models.ForeignKey("people.Department", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    # when
    reported_on = models.DateField(null=True)
    filed_on = models.DateField(null=True)
    handled_on = models.DateField(null=True)
    due_on = models.DateField(null=True)
    closed_on = models.DateField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["street", "reported_on", "case"], name="count_reported"),
            models.Index(fields=["street", "filed_on", "case"], name="count_filed", condition=Q(filed_on__isnull=False)),
            models.Index(fields=["street", "handled_on", "case"], name="count_handled", condition=Q(handled_on__isnull=False)),
            models.Index(fields=["street", "due_on", "case"], name="count_due", condition=Q(due_on__isnull=False)),
            models.Index(fields=["street", "closed_on", "case"], name="count_closed", condition=Q(closed_on__isnull=False)),
        ]


class Group(models.TextChoices):
    """By what the days are added up. Never by person (DOMAIN §5 rule 6)."""

    ALL = "all"
    DEPARTMENT = "department"
    COMMUNITY = "community"
    TYPE = "type"


class DayFigure(models.Model):
    """One street's one day in one group: how many cases count for each part that day. The sum of ``CaseCount``.

    ``key``: the department's, community's or event type's id; 0 for cases that have none, and for the group of all.
    """

    # where, when, which
    street = models.ForeignKey("core.Street", on_delete=models.PROTECT, related_name="+", db_index=False)
    day = models.DateField()
    group = models.CharField(max_length=10, choices=Group.choices)
    key = models.BigIntegerField(default=0)
    # how many: one column a part of rules.PARTS
    reported = models.PositiveIntegerField(default=0)
    valid = models.PositiveIntegerField(default=0)
    verify_due = models.PositiveIntegerField(default=0)
    verify_ontime = models.PositiveIntegerField(default=0)
    filed = models.PositiveIntegerField(default=0)
    filed_ontime = models.PositiveIntegerField(default=0)
    filed_kept = models.PositiveIntegerField(default=0)
    filed_public = models.PositiveIntegerField(default=0)
    missed = models.PositiveIntegerField(default=0)
    found_first = models.PositiveIntegerField(default=0)
    dispatch_due = models.PositiveIntegerField(default=0)
    dispatch_ontime = models.PositiveIntegerField(default=0)
    dispatch_clean = models.PositiveIntegerField(default=0)
    sent = models.PositiveIntegerField(default=0)
    sent_once = models.PositiveIntegerField(default=0)
    hotline_sent = models.PositiveIntegerField(default=0)
    hotline_accepted = models.PositiveIntegerField(default=0)
    hotline_acknowledged = models.PositiveIntegerField(default=0)
    handle_due = models.PositiveIntegerField(default=0)
    handle_done = models.PositiveIntegerField(default=0)
    handle_timed = models.PositiveIntegerField(default=0)
    handle_ontime = models.PositiveIntegerField(default=0)
    worked = models.PositiveIntegerField(default=0)
    reworked = models.PositiveIntegerField(default=0)
    check_due = models.PositiveIntegerField(default=0)
    check_ontime = models.PositiveIntegerField(default=0)
    close_due = models.PositiveIntegerField(default=0)
    close_done = models.PositiveIntegerField(default=0)
    close_timed = models.PositiveIntegerField(default=0)
    close_ontime = models.PositiveIntegerField(default=0)
    close_plain = models.PositiveIntegerField(default=0)
    close_plain_ontime = models.PositiveIntegerField(default=0)
    turned_late = models.PositiveIntegerField(default=0)
    closed = models.PositiveIntegerField(default=0)
    closed_worked = models.PositiveIntegerField(default=0)
    passed_once = models.PositiveIntegerField(default=0)
    asked = models.PositiveIntegerField(default=0)
    rated = models.PositiveIntegerField(default=0)
    unsolved = models.PositiveIntegerField(default=0)
    solved = models.PositiveIntegerField(default=0)
    satisfied = models.PositiveIntegerField(default=0)
    visited = models.PositiveIntegerField(default=0)
    visited_solved = models.PositiveIntegerField(default=0)
    visited_satisfied = models.PositiveIntegerField(default=0)
    called = models.PositiveIntegerField(default=0)
    called_solved = models.PositiveIntegerField(default=0)
    called_satisfied = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["street", "group", "day", "key"], name="day_figure_once"),
            models.CheckConstraint(condition=Q(group__in=["all", "department", "community", "type"]), name="day_figure_group"),
        ]


class Mark(models.Model):
    """How far the ledger has been counted: one row. ``checked_*``: what the last full check found."""

    event_id = models.BigIntegerField(default=0)
    counted_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True)
    checked_cases = models.PositiveIntegerField(default=0)
    checked_wrong = models.PositiveIntegerField(default=0)
    walked_to = models.BigIntegerField(default=0)


class NoBrief(models.Model):
    """Somebody who wants no notice of the daily brief."""

    person = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, primary_key=True, related_name="+")
    since = models.DateTimeField()


class Export(models.Model):
    """A file somebody asked for: made by a job, fetched by that person only, gone when its time is over."""

    class State(models.TextChoices):
        WAITING = "waiting"
        WORKING = "working"
        READY = "ready"
        FAILED = "failed"
        EXPIRED = "expired"

    # identity
    key = models.CharField(max_length=64, unique=True)
    # what
    what = models.CharField(max_length=12)
    form = models.CharField(max_length=4)
    asked = models.JSONField(default=dict)
    language = models.CharField(max_length=10, default="zh-hans")
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    name = models.CharField(max_length=120, blank=True, help_text="the file's name for whoever fetches it")
    size_bytes = models.BigIntegerField(default=0)
    error = models.CharField(max_length=60, blank=True)
    # when, who
    asked_at = models.DateTimeField()
    ready_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    is_strong = models.BooleanField(default=False, help_text="the second factor was shown when it was asked for")
    street = models.ForeignKey("core.Street", null=True, on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta:
        indexes = [models.Index(fields=["person", "-id"], name="export_of_person")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "working", "ready", "failed", "expired"]), name="export_state"
            ),
            models.CheckConstraint(condition=Q(form__in=["xlsx", "pdf", "csv"]), name="export_form"),
        ]
