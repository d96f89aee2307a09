"""Addresses in a policy that are asked over the network. Pure: nothing is asked here."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, quote, urlsplit

_SCHEMES = ("http", "https", "webcal")
_MACHINE = tuple(
    ip_network(net)
    for net in (
        "169.254.0.0/16", "fe80::/10",  # link-local; 169.254.169.254 is the metadata of AWS, Google, Azure and others
        "fd00:ec2::/32", "fd20:ce::254/128",  # AWS's and Google's, over IPv6
        "100.100.100.200/32", "168.63.129.16/32",  # Alibaba's; Azure's own agent
    )
)  # fmt: skip
"""What a machine asks about itself: its keys are there."""
_NAT64 = ip_network("64:ff9b::/96")


def is_address(text: str) -> bool:
    """Whether this is an address and no name of a file."""
    return "://" in text


def check_address(text: str, what: str) -> SplitResult:
    """The parts of an address. Raises ValueError with what to write instead; `what` is the key it stands under.

    A user and password are refused, as credentials never stand in a policy. A secret in the path, as in the private
    address of a calendar, cannot be told from any other path.
    """
    like = f"{what}: write an address like https://example.com/events"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(f"{like}; this one cannot be read") from None
    if parts.scheme not in _SCHEMES or not host or port == 0 or any(ord(ch) <= 32 for ch in text):
        raise ValueError(f"{like}; {text[:80]!r} is none")
    if parts.username is not None or parts.password is not None:
        raise ValueError(f"{like}; a user and a password do not belong into a policy")
    return parts


def host_of(text: str) -> str:
    """Where an address is: what people may read of it, as the rest can be a secret."""
    return urlsplit(text).hostname or "an address"


def web_address(text: str) -> str:
    """An address as it may stand in a link: http or https, nothing in it that ends the link or hides where it leads.
    Empty where it is none."""
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not host or port == 0 or "@" in parts.netloc:
        return ""
    return quote(text.strip(), safe="/:?#[]=&;,%+@!$*~-._'").replace("'", "%27")


def barred(address: str, *, private: bool) -> str:
    """Why an IP address is not called; empty where it may be. `private`: the team's own network and this machine may.

    Link-local addresses and those of cloud metadata never may, however they are written: an IPv4 address inside an IPv6
    one counts as itself.
    """
    ip = _inner(ip_address(address.partition("%")[0]))
    if any(ip in net for net in _MACHINE):
        return "it is an address where machines ask about themselves"
    if ip.is_unspecified or ip.is_multicast or (ip.is_reserved and not ip.is_loopback):
        return "it is no address of a service"
    return "it is in a private network" if not private and is_private(address) else ""


def is_private(address: str) -> bool:
    """Whether an IP address is in a private network, or this machine's own."""
    ip = _inner(ip_address(address.partition("%")[0]))
    return not ip.is_global or (isinstance(ip, IPv6Address) and ip.is_site_local)


def _inner(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The address that is really reached: IPv4 behind a mapped, translated or tunnelled one."""
    if isinstance(ip, IPv4Address):
        return ip
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else ip)
