"""Who a session belongs to. Passwords are judged in ``services.credentials``; Django asks here for the person behind an id."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from .models import Person


class PersonBackend(BaseBackend):
    """Finds the active person of a session."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> None:
        return None

    def get_user(self, user_id: int) -> Person | None:
        return Person.objects.active().filter(pk=user_id).first()
