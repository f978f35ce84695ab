-- Kept in the database so that the notice stays with the data wherever they are copied.
CREATE TABLE simulated
(
    what Enum8('invented' = 1, 'season' = 2)
        COMMENT 'Data of the demo: invented models, or the real season of 2024 and 2025',
    since DateTime64(3, 'UTC') COMMENT 'Moment of its start, UTC'
)
ENGINE = ReplacingMergeTree(since)
ORDER BY what
COMMENT 'What the demo wrote to this database: with a row here, none of its data are live; never two kinds together';
