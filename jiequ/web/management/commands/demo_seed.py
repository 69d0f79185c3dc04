"""Fills the demonstration: the district at once, its history as jobs."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from jiequ.core.clock import now


class Command(BaseCommand):
    """``manage.py demo_seed``; refuses outside the demonstration."""

    help = "Fill the demonstration's district; its history follows as jobs."

    def add_arguments(self, parser: Any) -> None:
        """``--no-year``: no history."""
        parser.add_argument("--no-year", dest="has_year", action="store_false")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError("demo_seed works in the demonstration only (JIEQU_MODE=demo).")
        from jiequ.web.demo import seeding

        if not options["has_year"]:
            seeding.seed_street(now())
            return
        waiting = seeding.seed(now())
        self.stdout.write(f"The district is there; {waiting} jobs of its history wait.")
