"""Systems that report by themselves: cameras, a hotline, another office's system."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class SystemKind(models.TextChoices):
    """What kind of source it is; each is a ``Source`` of cases."""

    OUTSIDE = "outside", _("外部系统")
    CAMERA = "camera", _("视频发现")
    HOTLINE = "hotline", _("12345 热线")


class OutsideSystem(models.Model):
    """A system that may hand in reports with its token and ask after them; for one street, or (none) for the district."""

    # identity
    name = models.CharField(max_length=40, unique=True, help_text="stands on its reports; never changes")
    token_hash = models.CharField(max_length=64, unique=True)
    # what
    kind = models.CharField(max_length=10, choices=SystemKind.choices)
    is_trusted = models.BooleanField(default=False, help_text="filed at once where type and place are known")
    is_active = models.BooleanField(default=True)
    # where
    street = models.ForeignKey("core.Street", null=True, on_delete=models.PROTECT, related_name="+")
    # when, who
    made_at = models.DateTimeField()
    made_by = models.BigIntegerField(null=True)
    renewed_at = models.DateTimeField(null=True, help_text="when the token was last changed")
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=list(SystemKind)), name="outside_system_kind_known"),
            models.CheckConstraint(
                condition=Q(is_active=True, revoked_at__isnull=True) | Q(is_active=False, revoked_at__isnull=False),
                name="outside_system_revoked_at_a_time",
            ),
        ]

    def __str__(self) -> str:
        return self.name
