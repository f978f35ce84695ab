CREATE OR REPLACE VIEW baselines
(
    baseline LowCardinality(String) COMMENT 'live, live_fixed, live_cutoff, or the name of a frozen one',
    size_bin LowCardinality(String) COMMENT 'Size bin',
    age_days UInt16 COMMENT 'Whole days since release',
    peers UInt8 COMMENT 'Number of peers behind the value, at most 10',
    downloads Nullable(Float64) COMMENT 'Cumulative downloads at which RAM is 1.0; null with fewer than 10 peers',
    as_of Nullable(DateTime64(3, 'UTC')) COMMENT 'Latest moment among the points behind it, UTC'
)
AS SELECT baseline, size_bin, age_days, peers, downloads, as_of
FROM baselines_log FINAL
WHERE peers > 0
COMMENT 'Baselines of the Relative Adoption Metric (RAM): one row per baseline, size bin and age';
