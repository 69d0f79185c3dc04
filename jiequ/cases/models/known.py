"""What is learnt of a district's reports to find the same again: how common hashed n-grams are, never a word."""

from __future__ import annotations

from django.db import models


class TextWeights(models.Model):
    """How rare each hashed bigram and trigram of the newest reports is (triage.engine.text.Weigher); the last row counts."""

    keys = models.BinaryField(help_text="uint32, sorted")
    idf = models.BinaryField(help_text="float32, one for each key")
    rarest = models.FloatField()
    reports = models.PositiveIntegerField(help_text="of how many reports it was counted")
    at = models.DateTimeField()
