-- What names of other sources mean; the newest record wins.
CREATE TABLE names_log
(
    source LowCardinality(String) COMMENT 'Whose name: openrouter, arena, artificial-analysis',
    name String COMMENT 'The name as the source spells it, without a variant',
    title Nullable(String) COMMENT 'What the source shows to people',
    vendor Nullable(String) COMMENT 'Who makes it, as the source says',
    open Nullable(Bool) COMMENT 'Whether its weights can be downloaded; null = nobody has classified it',
    model_id Nullable(String) COMMENT 'Its weights on the Hub, reviewed',
    org Nullable(String) COMMENT 'The Hub''s organisation that publishes it, reviewed',
    hint Nullable(String) COMMENT 'Its weights as the source says, not reviewed; nothing is counted by it',
    observed_at DateTime64(3, 'UTC') COMMENT 'When the source was read, UTC',
    version UInt64 COMMENT 'That moment, and for equal ones a checksum of the row: the greatest wins'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (source, name)
COMMENT 'What names of other sources mean';

-- Regions belong to organisations: all models of one have the same.
CREATE VIEW organisations
(
    org String COMMENT 'Organisation of the Hub, case matters',
    region LowCardinality(Nullable(String)) COMMENT 'us, china, eu, other, unknown; null = not reviewed',
    models UInt64 COMMENT 'Models of it that are known',
    tracked UInt64 COMMENT 'Those on the tracked list'
)
AS SELECT org, argMax(toNullable(region), (region IS NOT NULL, observed_at, region)) AS region, count() AS models, countIf(tracked) AS tracked
FROM (SELECT toString(models.org) AS org, models.region AS region, tracked, observed_at FROM models)
GROUP BY org
COMMENT 'Organisations and their regions';

CREATE VIEW names
(
    source LowCardinality(String) COMMENT 'Whose name: openrouter, arena, artificial-analysis',
    name String COMMENT 'The name as the source spells it, without a variant',
    title Nullable(String) COMMENT 'What the source shows to people',
    vendor Nullable(String) COMMENT 'Who makes it, as the source says',
    open Nullable(Bool) COMMENT 'Whether its weights can be downloaded; null = nobody has classified it',
    model_id Nullable(String) COMMENT 'Its weights on the Hub, reviewed',
    org Nullable(String) COMMENT 'The Hub''s organisation that publishes it: that of its weights, else the vendor''s',
    region LowCardinality(Nullable(String)) COMMENT 'Headquarters of that organisation: us, china, eu, other, unknown; null = not reviewed',
    hint Nullable(String) COMMENT 'Its weights as the source says, not reviewed; nothing is counted by it',
    observed_at DateTime64(3, 'UTC') COMMENT 'When the source was read, UTC'
)
AS SELECT
    n.source AS source, n.name AS name, n.title AS title, n.vendor AS vendor, n.open AS open,
    n.model_id AS model_id, n.publisher AS org, o.region AS region, n.hint AS hint, n.observed_at AS observed_at
FROM
(
    SELECT *, if(model_id IS NULL, org, splitByChar('/', assumeNotNull(model_id))[1]) AS publisher, ifNull(publisher, '') AS joined
    FROM names_log FINAL
) AS n
LEFT JOIN organisations AS o ON o.org = n.joined
COMMENT 'What names of other sources mean: open or closed, and which model of the Hub';

CREATE TABLE sources_log
(
    source LowCardinality(String) COMMENT 'Name of the source in every table',
    title String COMMENT 'Its name for people',
    measures String COMMENT 'What is taken from it',
    url String COMMENT 'Where it is',
    licence String COMMENT 'Licence or terms of its numbers',
    citation String COMMENT 'How to cite it; {as_of} stands for the moment of the numbers',
    version UInt32 COMMENT 'The greatest wins'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY source
COMMENT 'Where the numbers come from';

INSERT INTO sources_log VALUES
('huggingface', 'Hugging Face Hub', 'Downloads, likes and metadata of models', 'https://huggingface.co',
 'Hugging Face terms of service; public counters of its API', 'Hugging Face Hub (huggingface.co), download counters, as of {as_of}.', 1),
('tracked-models', 'ATOM Project, tracked models', 'Which models are tracked; regions, sizes and release dates', 'https://github.com/Interconnects-AI/tracked-models',
 'Apache-2.0', 'Lambert and Brand, The ATOM Report (2026), arXiv:2604.07190; Interconnects-AI/tracked-models, as of {as_of}.', 1),
('hub-stats', 'hub-stats', 'Daily snapshots of the Hub: downloads before the first scrape', 'https://huggingface.co/datasets/cfahlgren1/hub-stats',
 'Apache-2.0', 'cfahlgren1/hub-stats (Hugging Face datasets), as of {as_of}.', 1),
('hub-weekly-snapshots', 'Hub weekly snapshots', 'Weekly snapshots of the Hub: downloads before the first scrape', 'https://huggingface.co/datasets/hfmlsoc/hub_weekly_snapshots',
 'ODbL-1.0', 'hfmlsoc/hub_weekly_snapshots (Hugging Face datasets), ODbL-1.0, as of {as_of}.', 1),
('modelscope', 'ModelScope', 'Downloads of models on ModelScope', 'https://modelscope.cn',
 'ModelScope terms of service; public counters of its API', 'ModelScope (modelscope.cn), download counters, as of {as_of}.', 1),
('openrouter', 'OpenRouter rankings', 'Tokens by model and day', 'https://openrouter.ai/rankings',
 'CC BY 4.0', 'Source: OpenRouter (openrouter.ai/rankings), as of {as_of}.', 1),
('arena', 'Arena leaderboard', 'Ratings of models by people''s votes', 'https://huggingface.co/datasets/lmarena-ai/leaderboard-dataset',
 'CC BY 4.0', 'lmarena-ai/leaderboard-dataset (Hugging Face datasets), as of {as_of}.', 1),
('artificial-analysis', 'Artificial Analysis', 'Intelligence Index of models', 'https://artificialanalysis.ai',
 'Artificial Analysis terms; attribution with a link is required', 'Artificial Analysis (https://artificialanalysis.ai), Intelligence Index, as of {as_of}.', 1);
