"""Which addresses may be called, and which may stand in a link."""

from __future__ import annotations

import pytest

from checklists.addresses import barred, is_private, web_address

MACHINES = (
    "169.254.169.254", "169.254.0.1", "169.254.170.2", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "fd20:ce::254",
    "100.100.100.200", "168.63.129.16", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1",
)  # fmt: skip
NOBODY = (
    "::169.254.169.254",
    "::10.0.0.1",
    "64:ff9b:1::a9fe:a9fe",
    "0.0.0.0",
    "::",
    "224.0.0.1",
    "ff02::1",
    "255.255.255.255",
    "240.0.0.1",
)
OURS = (
    "127.0.0.1",
    "::1",
    "10.0.0.7",
    "172.16.3.4",
    "192.168.1.1",
    "fd12:3456::1",
    "fec0::1",
    "100.64.0.1",
    "::ffff:10.0.0.7",
)
PUBLIC = ("93.184.215.14", "2606:2800:220:1::1", "8.8.8.8", "64:ff9b::808:808")


@pytest.mark.parametrize("private", [False, True])
@pytest.mark.parametrize("address", [*MACHINES, *NOBODY])
def test_where_machines_ask_about_themselves_nothing_is_called(address: str, private: bool) -> None:
    assert barred(address, private=private)


@pytest.mark.parametrize("address", OURS)
def test_the_teams_own_network_is_called_only_where_that_is_allowed(address: str) -> None:
    assert barred(address, private=False) == "it is in a private network"
    assert barred(address, private=True) == ""
    assert is_private(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is_public_may_be_called(address: str) -> None:
    assert barred(address, private=False) == ""
    assert not is_private(address)


@pytest.mark.parametrize(
    ("address", "stands"),
    [
        ("https://example.org/a?b=c#d", "https://example.org/a?b=c#d"),
        ("http://prometheus:9090/graph?g0.expr=up%7Bjob%3D%22a%22%7D", "http://prometheus:9090/graph?g0.expr=up%7Bjob%3D%22a%22%7D"),
        ("https://example.org/) [click](https://evil.example", "https://example.org/%29%20[click]%28https://evil.example"),
        ("https://example.org/<!channel>|x", "https://example.org/%3C!channel%3E%7Cx"),
        ("https://example.org/a'b\"c", "https://example.org/a%27b%22c"),
        ("javascript:alert(1)", ""), ("//example.org", ""), ("https://", ""), ("https://user:pw@example.org/", ""),
        ("https://[", ""), ("https://example.org:99999/", ""), ("ftp://example.org/", ""), ("", ""),
    ],
)  # fmt: skip
def test_a_link_leads_where_it_says_and_ends_where_it_ends(address: str, stands: str) -> None:
    assert web_address(address) == stands
