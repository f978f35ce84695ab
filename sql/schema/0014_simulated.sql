-- Invented data and the word that they are invented stay together, wherever the database goes.
CREATE TABLE simulated
(
    what String COMMENT 'What invented them: demo',
    since DateTime64(3, 'UTC') COMMENT 'When it began, UTC'
)
ENGINE = ReplacingMergeTree(since)
ORDER BY what
COMMENT 'With a row here everything in the database is invented, and who shows it says so';
