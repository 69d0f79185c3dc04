"""The filters of the case list that a person keeps."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class SavedFilter(models.Model):
    """A filter of the case list that somebody named; one may be the list's beginning, one may be shared with a street."""

    person = models.ForeignKey("people.Person", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=30)
    query = models.CharField(max_length=1000, help_text="the address's query, checked when it was saved")
    position = models.PositiveSmallIntegerField(default=0)
    is_default = models.BooleanField(default=False)
    street = models.ForeignKey("core.Street", null=True, on_delete=models.PROTECT, related_name="+", help_text="shared with")
    removed_at = models.DateTimeField(null=True, help_text="may be taken back for a while")

    class Meta:
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "name"], condition=Q(removed_at__isnull=True), name="saved_filter_name_once_a_person"
            ),
            models.UniqueConstraint(
                fields=["person"],
                condition=Q(removed_at__isnull=True, is_default=True),
                name="saved_filter_one_default_a_person",
            ),
        ]
        indexes = [models.Index(fields=["street"], condition=Q(removed_at__isnull=True), name="saved_filter_of_street")]

    def __str__(self) -> str:
        return self.name
