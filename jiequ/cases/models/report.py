"""What people said, and who they are: apart, because few may read the second."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Reporter(models.Model):
    """Who reported: every field that names a person is sealed; only ``services.reveal_reporter`` opens it, with a reason."""

    name_sealed = models.TextField(blank=True)
    phone_sealed = models.TextField(blank=True)
    phone_blind = models.CharField(max_length=64, blank=True, db_index=True)
    last4_blind = models.CharField(max_length=64, blank=True, db_index=True)
    account_sealed = models.TextField(blank=True, default="", help_text='"wechat:17": where they are answered')
    account_blind = models.CharField(max_length=64, blank=True, default="")
    account_by_link = models.BooleanField(
        default=False, help_text="took it over by its link, in another browser than it was made in: not told name and phone"
    )
    is_minor_with_guardian = models.BooleanField(default=False)
    noticed_at = models.DateTimeField(help_text="when the privacy notice was shown")
    keep_until = models.DateField(db_index=True)
    erased_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(erased_at__isnull=True)
                | Q(name_sealed="", phone_sealed="", phone_blind="", last4_blind="", account_sealed="", account_blind=""),
                name="reporter_erased_is_empty",
            )
        ]
        indexes = [models.Index(fields=["account_blind"], name="reporter_account", condition=~Q(account_blind=""))]


class Report(models.Model):
    """One person's or system's account of a matter; several may belong to one case."""

    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="reports")
    origin = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="+", help_text="before merging")
    reporter = models.ForeignKey(Reporter, null=True, on_delete=models.PROTECT, related_name="reports", db_index=False)
    street = models.ForeignKey("core.Street", on_delete=models.PROTECT, related_name="+", db_index=False)
    source = models.CharField(max_length=12)
    system = models.CharField(max_length=40, blank=True, help_text="the outside system's name")
    source_ref = models.CharField(max_length=100, blank=True)
    said_hash = models.CharField(
        max_length=64, blank=True, help_text="what a system said: tells its repeat from another report"
    )
    words = models.TextField(blank=True)
    place_words = models.CharField(max_length=200, blank=True)
    tokens = models.TextField(blank=True, default="", help_text="what the case it opened is found by, split (bigrams)")
    sketch = models.BinaryField(null=True, help_text="128 bytes to find reports of the same by (triage.engine.sketches)")
    wants_call = models.BooleanField(default=False)
    language = models.CharField(max_length=10, default="zh-hans")
    token_hash = models.CharField(max_length=64, blank=True)
    token_expires_at = models.DateTimeField(null=True)
    token_revoked_at = models.DateTimeField(null=True)
    device_blind = models.CharField(max_length=64, blank=True)
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)
    seen_at = models.DateTimeField(null=True, help_text="when it was seen on the spot, from the page, not from EXIF")
    at = models.DateTimeField()
    by_id = models.BigIntegerField(null=True, db_column="by_person_id")

    class Meta:
        indexes = [
            models.Index(fields=["at"], name="report_at"),  # the limits count a day's reports (services.limits)
            models.Index(fields=["reporter"], name="report_reporter", condition=Q(reporter__isnull=False)),
            models.Index(fields=["street"], name="report_wants_call", condition=Q(wants_call=True)),  # a shift's promises
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["system", "source_ref"], condition=~Q(source_ref=""), name="report_once_per_outside_reference"
            ),
            models.UniqueConstraint(fields=["token_hash"], condition=~Q(token_hash=""), name="report_token_once"),
        ]


class Rating(models.Model):
    """A reporter's verdict on a closed case, given once, by themselves or by phone."""

    report = models.OneToOneField(Report, on_delete=models.PROTECT, related_name="rating")
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="ratings")
    is_solved = models.BooleanField()
    satisfaction = models.PositiveSmallIntegerField(help_text="1 to 5")
    text = models.TextField(blank=True)
    at = models.DateTimeField()
    taken_by_id = models.BigIntegerField(null=True, help_text="whoever took it by phone")

    class Meta:
        indexes = [models.Index(fields=["at"], name="rating_unsolved", condition=Q(is_solved=False))]
        constraints = [
            models.CheckConstraint(condition=Q(satisfaction__range=(1, 5)), name="rating_one_to_five"),
        ]
