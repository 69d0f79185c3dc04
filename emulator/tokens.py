"""Access tokens, stable tokens, tickets and quotas of official accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator.errors import ApiError
from emulator.http import Request
from emulator.store import Account, Token, secret_text

if TYPE_CHECKING:
    from emulator.app import Emulator

LASTS = 7200
OLD_LASTS = 300
"""The token before lives so much longer; a stable one is renewed so long before its end."""
FORCED_A_DAY, FORCED_APART = 20, 30.0
CLEARED_A_MONTH = 10
LENGTH = 136
DAILY = {
    "token": 2_000,
    "stable_token": 500_000,
    "menu/create": 1_000,
    "menu/get": 10_000,
    "menu/delete": 1_000,
    "media/upload": 100_000,
    "media/get": 200_000,
    "message/custom/send": 500_000,
    "message/template/send": 100_000,
    "ticket/getticket": 1_000_000,
    "user/info": 5_000_000,
    "user/get": 500,
    "qrcode/create": 100_000,
}
"""A new account's; ``limits`` of an account override them. From the limit page, the last four from memory."""
A_MINUTE = {"stable_token": 10_000, "sns/oauth2/access_token": 50_000}


def by_secret(emu: Emulator, appid: str, secret: str, client: str) -> Account:
    """The account that shows its secret, from an address it allows. 41002, 41004, 40013, 40243, 40125, 40164."""
    if not appid or not secret:
        raise ApiError(41002 if not appid else 41004)
    account = emu.state.accounts.get(appid)
    if not account:
        raise ApiError(40013)
    if account.is_frozen:
        raise ApiError(40243)
    if account.secret != secret:
        raise ApiError(40125)
    if account.ip_whitelist and client not in account.ip_whitelist:
        raise ApiError(40164, words=f"invalid ip {client}, not in whitelist")
    return account


def account_of(emu: Emulator, value: str) -> Account:
    """Whose token it is: 41001 missing, 40014 not of a token's form, 42001 over, 40001 unknown or replaced."""
    if not value:
        raise ApiError(41001)
    if len(value) != LENGTH or not value.isascii():
        raise ApiError(40014)
    for account in emu.state.accounts.values():
        for token in account.tokens:
            if token.value == value:
                if token.until <= emu.clock.now():
                    raise ApiError(42001)
                return account
    raise ApiError(40001)


def classic(emu: Emulator, account: Account) -> Token:
    """A new token with each call; the one before lives five minutes more, those before it not at all."""
    now = emu.clock.now()
    mine = [one for one in account.tokens if one.kind == "classic"]
    for old in mine[:-1]:
        account.tokens.remove(old)
    if mine:
        mine[-1].until = min(mine[-1].until, now + OLD_LASTS)
    return _give(emu, account, "classic")


def stable(emu: Emulator, account: Account, *, force: bool) -> Token:
    """The same token while it is valid, a new one in its last five minutes; by force a new one that ends the old."""
    now = emu.clock.now()
    mine = [one for one in account.tokens if one.kind == "stable"]
    if force:
        _count_forced(emu, account)
        for old in mine:
            account.tokens.remove(old)
    elif mine and mine[-1].until - now > OLD_LASTS:
        return mine[-1]
    return _give(emu, account, "stable")


def _count_forced(emu: Emulator, account: Account) -> None:
    now = emu.clock.now()
    account.forced = [at for at in account.forced if emu.clock.now() - at < 86_400]
    if account.forced and now - account.forced[-1] < FORCED_APART:
        raise ApiError(45011)
    if len(account.forced) >= FORCED_A_DAY:
        raise ApiError(45009)
    account.forced.append(now)


def _give(emu: Emulator, account: Account, kind: str) -> Token:
    token = Token(f"{len(account.tokens) % 90 + 10}_" + secret_text(LENGTH - 3), emu.clock.now() + LASTS, kind)
    dead = [one for one in account.tokens if one.until < emu.clock.now() - 86_400]
    account.tokens = [one for one in account.tokens if one not in dead] + [token]
    return token


def ticket(emu: Emulator, account: Account, kind: str) -> Token:
    """The ticket of that kind: the same while it is valid."""
    now = emu.clock.now()
    for one in account.tickets:
        if one.kind == kind and one.until > now:
            return one
    account.tickets = [one for one in account.tickets if one.kind != kind]
    account.tickets.append(Token(secret_text(86), now + LASTS, kind))
    return account.tickets[-1]


def spend(emu: Emulator, account: Account, name: str) -> None:
    """Count a call; 45009 over the day's, 45011 over the minute's."""
    today = emu.clock.today()
    if account.quota_day != today:
        account.quota, account.quota_day = {}, today
    minute = int(emu.clock.now() // 60)
    key = f"{name}@{minute}"
    if account.minutes.get(key, 0) >= account.limits.get(f"{name}/minute", A_MINUTE.get(name, 10**9)):
        raise ApiError(45011)
    if account.quota.get(name, 0) >= limit_of(account, name):
        raise ApiError(45009)
    account.quota[name] = account.quota.get(name, 0) + 1
    if key not in account.minutes:
        account.minutes = {one: count for one, count in account.minutes.items() if one.endswith(f"@{minute}")}
    account.minutes[key] = account.minutes.get(key, 0) + 1


def limit_of(account: Account, name: str) -> int:
    """Calls a day."""
    return account.limits.get(name, DAILY.get(name, 10**9))


def clear(emu: Emulator, account: Account) -> None:
    """All counts back to nothing, ten times a month; 48006."""
    month = emu.clock.today()[:7]
    if account.cleared.get(month, 0) >= CLEARED_A_MONTH:
        raise ApiError(48006)
    account.cleared[month] = account.cleared.get(month, 0) + 1
    account.quota = {}


def client_of(request: Request) -> str:
    """The caller's address; ``X-Emu-Client`` stands for another one."""
    return request.headers.get("x-emu-client", request.client)
