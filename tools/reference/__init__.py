"""The reference pages of docs/, written from the code so that they cannot differ from it."""

from collections.abc import Callable

from tools.reference.charts import charts_page
from tools.reference.commands import commands_page
from tools.reference.errors import errors_page
from tools.reference.metrics import metrics_page
from tools.reference.settings import settings_page
from tools.reference.tables import tables_page
from tools.reference.topics import topics_page

PAGES: dict[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "commands.md": commands_page,
    "topics.md": topics_page,
    "tables.md": tables_page,
    "metrics.md": metrics_page,
    "charts.md": charts_page,
    "errors.md": errors_page,
}
