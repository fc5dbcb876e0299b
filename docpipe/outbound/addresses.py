"""Which hosts and addresses may be called. Knows names and networks; resolves nothing and opens no connection."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from docpipe.errors import ForbiddenAddressError

Address = IPv4Address | IPv6Address

_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*")
_NUMBER = re.compile(r"(\d+|0x[0-9a-f]*)")  # as the last label: resolvers take such a host as an IPv4 address in one of its odd spellings

# https://www.iana.org/assignments/iana-ipv4-special-registry: what `is_global` of the Python versions in use still lets through
_REFUSED_4 = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT
        "168.63.129.16/32",  # a cloud's own services, on a public address
        "192.0.0.0/24",  # protocol assignments
        "192.88.99.0/24",  # 6to4 relays
        "224.0.0.0/3",  # multicast, reserved, broadcast
    )
)
# Of IPv6 only what is assigned as global unicast is called. Mapped (::ffff:0:0/96), NAT64 (64:ff9b::/96), unique local, link-local,
# site-local and multicast addresses lie outside of it.
_GLOBAL_6 = ip_network("2000::/3")
_REFUSED_6 = tuple(
    ip_network(text)
    for text in (
        "2001::/23",  # protocol assignments, Teredo
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which carries any IPv4 address
        "3fff::/20",  # documentation
    )
)


def check_host(host: str) -> str:
    """The host in the form that is looked up: lower case, without a final dot. Raises ForbiddenAddressError for what is neither a name
    nor a plainly written address, such as 0x7f.1, 2130706433 or an address with a zone."""
    plain = host.lower().removesuffix(".")
    if literal(plain) is not None:
        return plain
    if not _NAME.fullmatch(plain) or _NUMBER.fullmatch(plain.rpartition(".")[2]):
        raise ForbiddenAddressError("its host is neither a name nor a plainly written address")
    return plain


def literal(host: str) -> Address | None:
    """The address that a host is, or None where it is a name. An address with a zone is neither."""
    try:
        return None if "%" in host else ip_address(host)
    except ValueError:
        return None


def is_global(address: Address) -> bool:
    """Whether the address is one of the public internet's."""
    if isinstance(address, IPv4Address):
        return address.is_global and not any(address in network for network in _REFUSED_4)
    if address.scope_id is not None:
        return False
    return address in _GLOBAL_6 and address.is_global and not any(address in network for network in _REFUSED_6)


def check_addresses(host: str, addresses: Iterable[str], allowed: Iterable[str]) -> list[str]:
    """The addresses that a host resolved to, in order. Raises ForbiddenAddressError where any of them may not be called: a host with
    one public and one private address is not trusted with the choice. `allowed` lifts this for a host by its name or its networks."""
    allowed = tuple(entry.lower() for entry in allowed)
    networks = [network for entry in allowed if (network := _network(entry)) is not None]
    checked = []
    for text in addresses:
        address = literal(text)
        if address is None or not (host in allowed or is_global(address) or any(address in network for network in networks)):
            raise ForbiddenAddressError(f"{host} is not on the public internet")
        checked.append(str(address))
    return checked


def check_allowed(entries: Iterable[str]) -> None:
    """Raises ValueError for an entry that is neither a network, an address nor a host name."""
    for entry in entries:
        if _network(entry) is None:
            try:
                check_host(entry)
            except ForbiddenAddressError as problem:
                raise ValueError(f"{entry!r} is neither a network, an address nor a host name") from problem


def _network(entry: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(entry)
    except ValueError:
        return None
