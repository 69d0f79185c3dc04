"""Which addresses may be connected to for somebody who typed one in: no Django, so that a child process can judge too."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from functools import lru_cache

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def may_reach(text: str, named: Sequence[Network], *, scheme: str = "https") -> bool:
    """True for an address on the open internet by https, or in a network the operator named (there also by plain http)."""
    try:
        address = ipaddress.ip_address(text.split("%", 1)[0])
    except ValueError:
        return False
    for one in _all_of(address):
        is_named = any(one in network for network in named if network.version == one.version)
        is_open = one.is_global and not one.is_multicast and not one.is_reserved and scheme == "https"
        if not is_named and not is_open:
            return False
    return True


@lru_cache(maxsize=8)
def networks(names: tuple[str, ...]) -> list[Network]:
    """Networks by name: 10.20.0.0/16."""
    return [ipaddress.ip_network(name, strict=False) for name in names]


def _all_of(address: Address) -> Iterable[Address]:
    """The address and every IPv4 address it carries inside (mapped, 6to4, Teredo, NAT64): all must be allowed."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    inner = [address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return [address, *(one for one in inner if one is not None)]
