-- Of the rows a worker writes together, only the last of each day can be a closing: the feed takes in
-- those alone. Rows of a worker that does not say which they are count as before, all of them.
ALTER TABLE downloads_log
    ADD COLUMN IF NOT EXISTS closing Bool DEFAULT true COMMENT 'Last of its day with a counter, among the rows written with it';

ALTER TABLE closings_feed MODIFY QUERY
SELECT
    source, model_id, toDate(observed_at) AS day, observed_at,
    assumeNotNull(d.cumulative) AS cumulative, ifNull(d.standing, false) AS standing,
    bitShiftLeft(toUInt128(toUnixTimestamp64Milli(observed_at)), 64) + version AS rank
FROM downloads_log AS d
WHERE closing AND d.cumulative IS NOT NULL;
