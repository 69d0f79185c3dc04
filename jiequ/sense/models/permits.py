"""The register of permits and masks: what may stand there, and where nothing is looked for."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class PermitKind(models.TextChoices):
    """What suppresses a finding. The last two are masks: no document, no end."""

    PLANNING = "planning", _("建设工程规划许可")
    RURAL = "rural", _("乡村建设规划许可")
    TEMPORARY = "temporary", _("临时建设")
    DEMOLITION = "demolition", _("登记的拆除工程")
    WATER = "water", _("水面")
    VEGETATION = "vegetation", _("植被")


class Permit(models.Model):
    """One version of one permit or mask. A change is a new version; the old one is ended and kept, never edited."""

    # identity
    street = models.ForeignKey("core.Street", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=10, choices=PermitKind.choices)
    number = models.CharField(max_length=80)
    version = models.PositiveIntegerField(default=1)
    # what
    title = models.CharField(max_length=120, blank=True)
    authority = models.CharField(max_length=80, blank=True)
    geometry = models.JSONField()
    west = models.FloatField()
    south = models.FloatField()
    east = models.FloatField()
    north = models.FloatField()
    area_m2 = models.FloatField()
    height_m = models.FloatField(null=True, help_text="what it allows; higher than that is not explained by it")
    valid_from = models.DateField(null=True)
    valid_to = models.DateField(null=True)
    # when, who
    file = models.CharField(max_length=120, blank=True, help_text="the file it was imported from; empty: by hand")
    made_at = models.DateTimeField()
    made_by = models.BigIntegerField(null=True)
    ended_at = models.DateTimeField(null=True, help_text="when a newer version took its place, or it was withdrawn")
    ended_by = models.BigIntegerField(null=True)

    class Meta:
        ordering = ["kind", "number", "-version"]
        indexes = [models.Index(fields=["street", "west"], condition=Q(ended_at=None), name="sense_permit_in_force")]
        constraints = [
            models.UniqueConstraint(fields=["street", "kind", "number", "version"], name="sense_permit_version"),
            models.UniqueConstraint(
                fields=["street", "kind", "number"], condition=Q(ended_at=None), name="sense_permit_one_in_force"
            ),
            models.CheckConstraint(condition=Q(kind__in=PermitKind.values), name="sense_permit_kind"),
            models.CheckConstraint(
                condition=Q(valid_from=None) | Q(valid_to=None) | Q(valid_to__gte=F("valid_from")), name="sense_permit_in_order"
            ),
        ]

    def __str__(self) -> str:
        return self.number
