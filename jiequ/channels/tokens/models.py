"""The tokens that a platform lends an account, shared by every process of the installation."""

from __future__ import annotations

from django.db import models


class Token(models.Model):
    """The access token or ticket in force under a name (``wechat:wx…:access``). Good until ``good_until``; a new one is fetched
    from ``renew_from`` on by whoever holds ``claimed_until``."""

    name = models.CharField(max_length=120, unique=True)
    value_sealed = models.TextField(blank=True)

    good_until = models.DateTimeField()
    renew_from = models.DateTimeField()
    claimed_until = models.DateTimeField()
    forced_at = models.DateTimeField(null=True)

    version = models.PositiveIntegerField(default=0)
