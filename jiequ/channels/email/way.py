"""The way ``email``: the last of the chain, to the address in a person's roster entry. Django's SMTP with a time limit.

A letter says what a text message says, and the address that opens the case behind sign-in. Its Message-ID is made from the
notice's key: two letters of one notice are one for every mail program that looks.
"""

from __future__ import annotations

import hashlib
import smtplib
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend
from django.utils import translation
from django.utils.translation import gettext as _

from jiequ.people.models import Person

from ..ports import Outcome, Outgoing, Result, Way

SECONDS = 5.0


class EmailWay(Way):
    """Letters to staff who have left an address."""

    name = "email"
    scheme = "mailto"

    def addresses_of(self, persons: Collection[int]) -> Mapping[int, str]:
        """The addresses of the roster. One SELECT."""
        known = Person.objects.filter(pk__in=list(persons), email__isnull=False).values_list("pk", "email")
        return {person_id: email for person_id, email in known if email}

    def send(self, message: Outgoing, address: str, key: str) -> Outcome:
        """One letter; taken by the server is all that is ever known."""
        try:
            backend = _backend()
            backend.send_messages([letter(message, address, key, backend)])
        except smtplib.SMTPResponseException as refused:
            return _refused(refused.smtp_code)
        except smtplib.SMTPRecipientsRefused as refused:
            return _refused(next(iter(refused.recipients.values()))[0])
        except (smtplib.SMTPException, OSError) as fault:
            return Outcome(Result.TRY_LATER, error=f"smtp_{type(fault).__name__}"[:60])
        return Outcome(Result.DELIVERED, key[:120])


def make() -> Way | None:
    """For the chain: the way, where a server is set."""
    return EmailWay() if settings.MAIL_HOST else None


def letter(message: Outgoing, address: str, key: str, backend: EmailBackend) -> EmailMessage:
    """Plain text in the reader's language; number, type, grid and due time only."""
    with translation.override(message.language):
        body = _("%(text)s\n\n点开查看：%(url)s\n\n这是自动发出的通知，请不要回复。") % {
            "text": message.text,
            "url": message.url,
        }
    host = urlsplit(settings.BASE_URL).hostname or "jiequ"
    number = hashlib.sha256(key.encode()).hexdigest()[:40]
    headers = {"Message-ID": f"<{number}@{host}>", "Auto-Submitted": "auto-generated"}
    return EmailMessage(message.title, body, settings.MAIL_FROM, [address], headers=headers, connection=backend)


def _backend() -> EmailBackend:
    return EmailBackend(
        host=settings.MAIL_HOST,
        port=settings.MAIL_PORT,
        username=settings.MAIL_USER,
        password=settings.MAIL_PASSWORD,
        use_tls=settings.MAIL_TLS == "starttls",
        use_ssl=settings.MAIL_TLS == "tls",
        timeout=SECONDS,
        fail_silently=False,
    )


def _refused(code: int) -> Outcome:
    """4xx passes, 5xx is a no."""
    return Outcome(Result.TRY_LATER if code < 500 else Result.REFUSED_PERMANENT, error=f"smtp_{code}")
