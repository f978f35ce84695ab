-- Kept in the database so that the notice stays with the data wherever they are copied.
CREATE TABLE simulated
(
    what String COMMENT 'Command that simulated the data: demo',
    since DateTime64(3, 'UTC') COMMENT 'Moment of its start, UTC'
)
ENGINE = ReplacingMergeTree(since)
ORDER BY what
COMMENT 'Simulations that wrote to this database: with a row here, all of its data are invented';
