"""An address and a port as one text, as URLs have it (RFC 3986, 3.2). Pure."""

from __future__ import annotations


def host_and_port(host: str, port: int) -> str:
    """An IPv6 address in brackets, anything else as it is."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
