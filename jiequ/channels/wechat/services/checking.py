"""Whether the account answers: one call that costs nothing and tells of the secret, the whitelist and the connection."""

from __future__ import annotations

from jiequ.channels.client import ApiError

from .. import config


def ask_account() -> str:
    """Empty if the account answers; else the class of what is wrong (an errcode, ``timeout`` …). Outside a transaction."""
    try:
        config.api().get("/cgi-bin/getcallbackip")
    except ApiError as fault:
        return str(fault.errcode) if fault.errcode is not None else fault.code
    return ""
