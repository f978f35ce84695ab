"""Text of server addresses."""


def host_port(host: str, port: int) -> str:
    """Return host:port, with brackets around an IPv6 host."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def http_address(host: str, port: int) -> str:
    """Return the URL of an HTTP server, without a path."""
    return f"http://{host_port(host, port)}"


def is_loopback(host: str) -> bool:
    """Whether a host is the loopback address on which the embedded servers listen."""
    return host in {"127.0.0.1", "localhost"}
