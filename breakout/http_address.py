"""Addresses of HTTP servers as people read them."""


def http_address(host: str, port: int) -> str:
    """Return the address of a server, without a path; an IPv6 host gets its brackets."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}"
