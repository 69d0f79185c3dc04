"""The counts behind the map's clusters."""

from __future__ import annotations

from django.db import models

from jiequ.cases.pyramid import StateGroup


class Rollup(models.Model):
    """How many cases of a street lie in one tile of one zoom, by group of states and class of type.

    Written by ``services.rollups`` only, in the transaction of the case. No constraint forbids a negative count: a count that
    went wrong must never stop a case; the nightly recount says so and mends it.
    """

    street = models.ForeignKey("core.Street", on_delete=models.PROTECT, db_index=False, related_name="+")
    zoom = models.SmallIntegerField()
    tile = models.BigIntegerField(help_text="q18 >> 2 * (18 - zoom)")
    state_group = models.CharField(max_length=8, choices=[(g.value, g.value) for g in StateGroup])
    type_group = models.CharField(max_length=4, blank=True, help_text="kind's letter and two digits; empty: no type yet")
    count = models.IntegerField()
    east = models.BigIntegerField(help_text="sum of the cases' zoom-18 columns inside the tile: where their middle lies")
    south = models.BigIntegerField(help_text="the same of the rows")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["street", "zoom", "tile", "state_group", "type_group"], name="rollup_once"),
        ]
