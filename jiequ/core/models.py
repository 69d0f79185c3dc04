"""What every app stands on. Core rows hold street and person as plain ids: nothing here points upward."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class District(models.Model):
    """The installation's district (区): one row, named on every page and every export."""

    name_zh = models.CharField(max_length=100)
    name_en = models.CharField(max_length=100, blank=True)
    code6 = models.CharField(max_length=6, unique=True)
    sponsor_unit = models.CharField(max_length=100, blank=True)
    filing_number = models.CharField(max_length=100, blank=True)

    settings = models.JSONField(default=dict, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(code6__regex=r"^[0-9]{6}$"), name="district_code_is_six_digits"),
        ]

    def __str__(self) -> str:
        return self.name_zh


class Street(models.Model):
    """A street (街道), the tenant: cases, people, grids and audit chains belong to one."""

    code9 = models.CharField(max_length=9, unique=True)
    prefix = models.CharField(max_length=8, unique=True, help_text="LG in LG-2026-000123")
    name_zh = models.CharField(max_length=100)
    name_en = models.CharField(max_length=100, blank=True)

    is_active = models.BooleanField(default=True)
    settings = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["code9"]
        constraints = [
            models.CheckConstraint(condition=Q(code9__regex=r"^[0-9]{9}$"), name="street_code_is_nine_digits"),
            models.CheckConstraint(condition=Q(prefix__regex=r"^[A-Z]{1,8}$"), name="street_prefix_is_capitals"),
        ]

    def __str__(self) -> str:
        return self.name_zh


class CalendarDay(models.Model):
    """One day of the district's work calendar; days without a row follow the weekends, provisionally."""

    day = models.DateField(unique=True)

    is_workday = models.BooleanField()
    is_statutory_holiday = models.BooleanField(default=False)
    name = models.CharField(max_length=60, blank=True)

    is_provisional = models.BooleanField(default=False)
    source = models.CharField(max_length=60, blank=True)
    edition = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["day"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(is_workday=True, is_statutory_holiday=True), name="calendar_no_work_on_statutory_holiday"
            ),
        ]


class Picture(models.Model):
    """A photo that came through the one door: re-encoded, without metadata; ``name`` is its file under MEDIA_ROOT.

    Files are named by their content, so the same photo admitted twice is two rows and one file.
    """

    street_id = models.BigIntegerField()
    sha256 = models.CharField(max_length=64, db_index=True)
    name = models.CharField(max_length=200)

    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    size_bytes = models.PositiveIntegerField()
    content_type = models.CharField(max_length=20, default="image/jpeg")
    dhash = models.BigIntegerField(null=True, help_text="64 bits of what it looks like, to find it again; signed")

    admitted_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(width__gt=0, height__gt=0, size_bytes__gt=0), name="picture_has_pixels"),
        ]


class Throttle(models.Model):
    """A token bucket of one address, account or device: the moment (epoch, ms) from which all its tries are there again."""

    bucket = models.CharField(max_length=200, unique=True)
    full_at_ms = models.BigIntegerField(db_index=True)


class Counter(models.Model):
    """The last number given out under a name (LG-2026); numbers are unique and may leave gaps."""

    name = models.CharField(max_length=40, unique=True)
    value = models.BigIntegerField(default=0)


class IdempotencyKey(models.Model):
    """The answer once given to a keyed request, stored in the transaction of its effect and replayed byte for byte."""

    scope = models.CharField(max_length=120)
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)

    status = models.PositiveSmallIntegerField(null=True)
    body = models.BinaryField(default=b"")
    content_type = models.CharField(max_length=100, blank=True)
    headers = models.JSONField(default=dict)

    stored_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "key"], name="idempotency_key_once_per_scope")]


class Job(models.Model):
    """One thing to do later: a notice to send, a timer to fire, a chore; done at least once, gone when done.

    ``claims`` counts the leases taken and is the fencing token: only the worker that holds the last one may finish the row.
    """

    kind = models.CharField(max_length=60)
    key = models.CharField(max_length=200, null=True, unique=True)
    lane = models.CharField(max_length=120, blank=True, help_text="jobs of one lane run one after the other")
    street_id = models.BigIntegerField(null=True)
    args = models.JSONField(default=dict)

    due_at = models.DateTimeField(help_text="promised moment; retries do not move it")
    run_at = models.DateTimeField(help_text="next try not before")
    lease_until = models.DateTimeField(null=True)
    claims = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    lost_workers = models.PositiveIntegerField(default=0, help_text="leases that ran out: their worker was killed")
    last_error = models.CharField(max_length=300, blank=True)
    dead_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["run_at", "id"], condition=Q(dead_at=None), name="job_living_by_run_at"),
            models.Index(fields=["lane", "run_at", "id"], condition=Q(dead_at=None) & ~Q(lane=""), name="job_by_lane"),
            models.Index(fields=["due_at"], condition=Q(dead_at=None), name="job_living_by_due_at"),
            models.Index(fields=["dead_at"], condition=Q(dead_at__isnull=False), name="job_dead"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(failures__lte=F("claims")), name="job_fails_only_when_claimed"),
        ]


class AuditEntry(models.Model):
    """Who did what to which thing; insert-only by the database. ``facts`` never hold personal data (see core.audit)."""

    action = models.CharField(max_length=60)
    object_kind = models.CharField(max_length=40)
    object_id = models.CharField(max_length=64)
    facts = models.JSONField(default=dict)

    street_id = models.BigIntegerField(null=True)
    person_id = models.BigIntegerField(null=True)
    at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["street_id", "at"], name="audit_by_street"),
            models.Index(fields=["object_kind", "object_id"], name="audit_by_object"),
            models.Index(fields=["person_id", "at"], name="audit_by_person"),
        ]


class AuditSeal(models.Model):
    """The place of one audit entry in its street's hash chain; insert-only. ``chain`` is the street's id, 0 the district."""

    entry = models.OneToOneField(AuditEntry, on_delete=models.DO_NOTHING, primary_key=True, db_constraint=False)
    chain = models.BigIntegerField()
    seq = models.BigIntegerField()
    hash = models.CharField(max_length=64)
    sealed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["chain", "seq"], name="audit_seal_seq_once_per_chain"),
            models.CheckConstraint(condition=Q(seq__gte=1), name="audit_seal_seq_from_one"),
        ]
