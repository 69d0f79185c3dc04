"""Words of other systems that mean nothing here yet: the review list of an import."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class IssueKind(models.TextChoices):
    """What a foreign word stands for."""

    TYPE = "type", _("类型")
    UNIT = "unit", _("部门")
    COMMUNITY = "community", _("社区")


class ImportIssue(models.Model):
    """One word of a source that nobody has given a meaning here, or its meaning; a street has its own.

    ``target``: for a type "event:0111:pile" (code, condition), for a unit a department's key, else a community's code.
    """

    # identity
    system = models.CharField(max_length=40)
    kind = models.CharField(max_length=10, choices=IssueKind.choices)
    value = models.CharField(max_length=200)
    # what
    target = models.CharField(max_length=60, blank=True)
    applied = models.PositiveIntegerField(default=0, help_text="cases that were put right since")
    # where
    street = models.ForeignKey("core.Street", on_delete=models.PROTECT, related_name="+")
    # when, who
    seen_at = models.DateTimeField()
    mapped_at = models.DateTimeField(null=True)
    mapped_by = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["street", "system", "kind", "value"], name="import_issue_once"),
            models.CheckConstraint(condition=Q(kind__in=list(IssueKind)), name="import_issue_kind_known"),
            models.CheckConstraint(
                condition=Q(target="", mapped_at__isnull=True) | ~Q(target="") & Q(mapped_at__isnull=False),
                name="import_issue_mapped_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return self.value


class IssueCase(models.Model):
    """A case that waits for the meaning of a word; gone when it was put right."""

    issue = models.ForeignKey(ImportIssue, on_delete=models.PROTECT, related_name="waiting")
    case = models.ForeignKey("cases.Case", on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["issue", "case"], name="issue_case_once")]
