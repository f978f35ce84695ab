-- Of the parts of tables, so with the rights of the user who migrated: a reader may not see paths of files.
CREATE OR REPLACE VIEW table_states
(
    table String COMMENT 'Table with rows',
    state UInt64 COMMENT 'Changes with every insert, never by a background merge; a number without other meaning'
)
DEFINER = CURRENT_USER SQL SECURITY DEFINER
AS SELECT table, sum(block) AS state
FROM
(
    SELECT table, partition_id, max(max_block_number) AS block
    FROM system.parts
    WHERE database = currentDatabase() AND active
    GROUP BY table, partition_id
)
GROUP BY table
COMMENT 'Whether tables have changed, without reading their rows: one row per table';
