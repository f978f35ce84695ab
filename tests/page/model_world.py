"""What the page of one model needs besides RAM: derivatives, ratings, and inference tokens."""

from contextlib import closing
from datetime import UTC, date, datetime, timedelta

from breakout.clickhouse.client import writer_client
from breakout.settings import Settings
from tests.breakout.cli.seed import insert
from tests.breakout.clickhouse.charts import seeds

MODEL = "org0/model-00"
LONELY = "org1/model-13"
"""A model without derivatives, ratings and tokens."""
AT = datetime(2026, 2, 20, 6, tzinfo=UTC)
DERIVATIVES = {
    "u/gguf": ("quantized", 5000),
    "u/tune": ("finetune", 800),
    "u/lora": ("adapter", 90),
}
NAMES = {"openrouter": "org0/zero", "arena": "model-zero"}
FIRST_DAY = date(2026, 1, 20)


def load(settings: Settings) -> None:
    """Add them to a database that `ram_world` has filled."""
    with closing(writer_client(settings)) as client:
        insert(
            client,
            "derivatives_log",
            *(
                {
                    "source": "huggingface", "model_id": model_id, "observed_at": AT,
                    "parents": [MODEL], "relation": relation, "created_at": AT,
                    "downloads_all_time": downloads, "version": 1,
                }
                for model_id, (relation, downloads) in DERIVATIVES.items()
            ),
        )  # fmt: skip
        insert(
            client,
            "lineage_log",
            *(
                {
                    "source": "huggingface", "model_id": model_id, "ancestors": [MODEL],
                    "depths": [1], "roots": [MODEL], "version": 1,
                }
                for model_id in DERIVATIVES
            ),
        )  # fmt: skip
        insert(
            client,
            "names_log",
            *(
                {
                    "source": source, "name": name, "open": True, "model_id": MODEL, "org": None,
                    "observed_at": AT, "version": 1,
                }
                for source, name in NAMES.items()
            ),
        )  # fmt: skip
        insert(
            client,
            "inference_log",
            *(
                {
                    "source": "openrouter", "day": FIRST_DAY + timedelta(days=number),
                    "as_of": seeds.NOW, "slug": NAMES["openrouter"], "tokens": 2**53 + number,
                }
                for number in range(30)
            ),
        )  # fmt: skip
        insert(
            client,
            "ratings_log",
            *(
                {
                    "source": "arena", "board": "text", "index_version": "",
                    "published_on": FIRST_DAY + timedelta(weeks=week), "name": NAMES["arena"],
                    "rating": 1300.0 + week, "lower": 1290.0, "upper": 1310.0, "votes": 1234,
                    "observed_at": AT, "version": 1,
                }
                for week in range(3)
            ),
        )  # fmt: skip
