"""The stub SMS port: nothing leaves the machine; the texts stand on the page 短信收件箱, which says so.

For demo, development and tests; production refuses it. It behaves as a provider with idempotency keys should: the same key
is one text.
"""

from __future__ import annotations

from jiequ.core import clock

from .models import StubSms
from .ports import Outcome, Outgoing, Result


class StubPort:
    """Keeps texts in a table; of the phone only the last four digits."""

    name = "stub"
    is_remote = False

    def send(self, message: Outgoing, address: str, key: str) -> Outcome:
        """Store the text once a key; a number that is no Chinese mobile is refused for good, as a provider would."""
        digits = address.removeprefix("+86").replace(" ", "")
        if not (digits.isdigit() and len(digits) == 11 and digits.startswith("1")):
            return Outcome(Result.REFUSED_PERMANENT, error="bad_number")
        row, _made = StubSms.objects.get_or_create(
            key=key, defaults={"phone_tail": digits[-4:], "text": message.text, "sent_at": clock.now()}
        )
        return Outcome(Result.DELIVERED, provider_id=f"stub-{row.pk}")
