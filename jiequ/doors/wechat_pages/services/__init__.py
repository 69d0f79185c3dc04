"""What the pages in WeChat do: sign in, tie a WeChat to the roster, answer scans, print plates, sign pages."""

from . import binding, plates, scans, signing, tickets

__all__ = ["binding", "plates", "scans", "signing", "tickets"]
