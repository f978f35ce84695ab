"""What is marked on panels with a time axis."""

from grafana_foundation_sdk.builders.dashboard import AnnotationQuery
from grafana_foundation_sdk.models.dashboard import AnnotationQuery as Annotation

from grafana.builder.colours import ABOVE, BAD, FELL, LINE
from grafana.builder.queries import CLICKHOUSE_SOURCE, table

MODEL = "${model:singlequote}"


class _Marks(AnnotationQuery):
    """An annotation query; the SDK's own has no field for the query of a plugin."""

    def __init__(self, name: str, colour: str, sql: str) -> None:
        super().__init__()
        self.name(name).enable(enable=True).icon_color(colour).datasource(CLICKHOUSE_SOURCE)
        self._sql = sql

    def build(self) -> Annotation:
        """Return the annotation with its query."""
        built = super().build()
        return _WithQuery(built, self._sql)


class _WithQuery(Annotation):
    def __init__(self, built: Annotation, sql: str) -> None:
        self.__dict__.update(built.__dict__)
        self._sql = sql

    def to_json(self) -> dict[str, object]:
        query = {**table(self._sql, "Anno").to_json(), "queryType": "table"}
        return {**super().to_json(), "target": query}


def crossings(baseline: str, models: str) -> list[_Marks]:
    """Return the marks of first crossings and of their ends; both are SQL, `models` of their ids."""
    return [
        _Marks(
            "Passed 1.0x",
            ABOVE,
            f"""
SELECT
    crossed_at AS time, if(status = 'confirmed', 'Passed 1.0x', 'Burst above 1.0x') AS title,
    concat(
        model_id, ': RAM ', toString(round(ram, 2)), 'x, ', ifNull(toString(round(ram_capped, 2)), '-'),
        'x capped, at the age of ', toString(age_days), ' days'
    ) AS text,
    toString(status) AS tags
FROM breakouts
WHERE baseline = {baseline} AND model_id IN ({models}) AND $__timeFilter(crossed_at)
ORDER BY time DESC
LIMIT 200
""",
        ),
        _Marks(
            "Fell below 0.9x",
            FELL,
            f"""
SELECT assumeNotNull(ended_at) AS time, 'Fell below 0.9x' AS title, model_id AS text, 'breakout' AS tags
FROM breakouts
WHERE baseline = {baseline} AND model_id IN ({models}) AND ended_at IS NOT NULL AND $__timeFilter(ended_at)
ORDER BY time DESC
LIMIT 200
""",
        ),
    ]


def release() -> _Marks:
    """Return the mark of the chosen model's release."""
    return _Marks(
        "Released",
        LINE,
        f"""
SELECT toDateTime(assumeNotNull(released_at), 'UTC') AS time, 'Released' AS title, model_id AS text, 'release' AS tags
FROM models
WHERE model_id = {MODEL} AND released_at IS NOT NULL AND $__timeFilter(time)
""",
    )


def falls() -> _Marks:
    """Return the marks of the days on which the chosen model's counter fell."""
    return _Marks(
        "Corrections and rollbacks",
        BAD,
        f"""
SELECT
    min(observed_at) AS time, if(state = 'rollback', 'Rollback', 'Correction') AS title,
    if(
        state = 'rollback', 'the counter fell, and reached its former value again within 14 days',
        concat('the counter fell by ', toString(sum(ifNull(correction, 0))))
    ) AS text,
    assumeNotNull(toString(state)) AS tags
FROM downloads
WHERE model_id = {MODEL} AND state IN ('rollback', 'correction') AND $__timeFilter(observed_at)
GROUP BY toDate(observed_at), state
ORDER BY time DESC
LIMIT 200
""",
    )
