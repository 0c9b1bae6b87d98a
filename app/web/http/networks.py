"""Networks of clients, which rate limits count."""

import ipaddress

MAX_ADDRESS = 45  # characters of an IP address; a proxy may forward something else


def network_of(address: str) -> str:
    """What a rate limit counts: an IPv4 address, or an IPv6 /64 network, which is one household. Without the port that
    some proxies add in `X-Forwarded-For`, which differs each time."""
    if ":" not in address:
        return address[:MAX_ADDRESS]
    address = _without_port(address)
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address[:MAX_ADDRESS]
    if isinstance(ip, ipaddress.IPv6Address):
        return str(ip.ipv4_mapped or ipaddress.ip_network((ip, 64), strict=False))
    return address


def _without_port(address: str) -> str:
    """`192.0.2.1:50000` and `[2001:db8::1]:50000` without the port, other addresses as they are."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    host, _, port = address.partition(":")
    return host if port.isdecimal() else address
