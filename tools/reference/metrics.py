"""docs/metrics.md."""

from prometheus_client import Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

from breakout.observability import metrics
from tools.reference.markdown import code, page, table

KINDS = {Counter: "counter", Gauge: "gauge", Histogram: "histogram"}


def all_metrics() -> list[MetricWrapperBase]:
    """Return the metrics in the order in which they are declared."""
    return [value for value in vars(metrics).values() if isinstance(value, MetricWrapperBase)]


def series_name(metric: MetricWrapperBase) -> str:
    """Return the name Prometheus shows; a histogram's series add _bucket, _sum and _count."""
    (family,) = metric.describe()
    return f"{family.name}_total" if isinstance(metric, Counter) else family.name


def metrics_page() -> str:
    """Return the page: one row a metric."""
    return page(
        "Metrics",
        "Every collector and worker serves its metrics to Prometheus on "
        "`BREAKOUT_METRICS_HOST` and `BREAKOUT_METRICS_PORT`. A histogram's series end in "
        "`_bucket`, `_sum` and `_count`.",
        table(
            ("Metric", "Kind", "Labels", "Meaning"),
            [
                (
                    code(series_name(metric)),
                    KINDS[type(metric)],
                    ", ".join(code(label) for label in metric._labelnames),  # noqa: SLF001
                    next(iter(metric.describe())).documentation,
                )
                for metric in all_metrics()
            ],
        ),
    )
