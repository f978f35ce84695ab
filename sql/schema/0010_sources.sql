CREATE TABLE sources_log
(
    source LowCardinality(String) COMMENT 'Name of the source in every table',
    title String COMMENT 'Display name',
    measures String COMMENT 'What is read from it',
    url String COMMENT 'Address, URL',
    licence String COMMENT 'Licence or terms of its data',
    citation String COMMENT 'Citation; {as_of} stands for the moment of the latest data',
    version UInt32 COMMENT 'The row with the greatest version wins'
)
ENGINE = ReplacingMergeTree(version)
ORDER BY source
COMMENT 'Sources of the data: one row per source';

INSERT INTO sources_log VALUES
(
    'huggingface', 'Hugging Face Hub', 'Downloads, likes and metadata of models',
    'https://huggingface.co', 'Hugging Face terms of service; public counters of its API',
    'Hugging Face Hub (huggingface.co), download counters, as of {as_of}.', 1
),
(
    'tracked-models', 'ATOM Project, tracked models', 'Which models are tracked; regions, sizes and release dates',
    'https://github.com/Interconnects-AI/tracked-models', 'Apache-2.0',
    'Lambert and Brand, The ATOM Report (2026), arXiv:2604.07190; Interconnects-AI/tracked-models, as of {as_of}.', 1
),
(
    'hub-stats', 'hub-stats', 'Daily snapshots of the Hub: downloads before the first scrape',
    'https://huggingface.co/datasets/cfahlgren1/hub-stats', 'Apache-2.0',
    'cfahlgren1/hub-stats (Hugging Face datasets), as of {as_of}.', 1
),
(
    'hub-weekly-snapshots', 'Hub weekly snapshots', 'Weekly snapshots of the Hub: downloads before the first scrape',
    'https://huggingface.co/datasets/hfmlsoc/hub_weekly_snapshots', 'ODbL-1.0',
    'hfmlsoc/hub_weekly_snapshots (Hugging Face datasets), ODbL-1.0, as of {as_of}.', 1
),
(
    'modelscope', 'ModelScope', 'Downloads of models on ModelScope',
    'https://modelscope.cn', 'ModelScope terms of service; public counters of its API',
    'ModelScope (modelscope.cn), download counters, as of {as_of}.', 1
),
(
    'openrouter', 'OpenRouter rankings', 'Tokens by model and day',
    'https://openrouter.ai/rankings', 'CC BY 4.0',
    'Source: OpenRouter (openrouter.ai/rankings), as of {as_of}.', 1
),
(
    'arena', 'Arena leaderboard', 'Ratings of models by people''s votes',
    'https://huggingface.co/datasets/lmarena-ai/leaderboard-dataset', 'CC BY 4.0',
    'lmarena-ai/leaderboard-dataset (Hugging Face datasets), as of {as_of}.', 1
),
(
    'artificial-analysis', 'Artificial Analysis', 'Intelligence Index of models',
    'https://artificialanalysis.ai', 'Artificial Analysis terms; attribution with a link is required',
    'Artificial Analysis (https://artificialanalysis.ai), Intelligence Index, as of {as_of}.', 1
);
