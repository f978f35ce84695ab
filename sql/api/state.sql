-- State of all tables, to detect changes. Every slice has a row in `scrapes_log`. Versions grow with every write of their
-- size bin, so their sums do, too; rows of the other tables are replaced by newer ones. Background merges do not change
-- the result.
SELECT
    (SELECT (uniqExact(source, observed_at, scrape_id, partition, slice), max(observed_at)) FROM scrapes_log) AS downloads,
    (SELECT sum(latest_version) FROM (SELECT max(version) AS latest_version FROM points_log GROUP BY size_bin)) AS points,
    (SELECT sum(latest_version) FROM (SELECT max(version) AS latest_version FROM latest_log GROUP BY size_bin)) AS latest,
    (SELECT sum(latest_version) FROM (SELECT max(version) AS latest_version FROM baselines_log GROUP BY size_bin)) AS baselines,
    (SELECT sum(latest_version) FROM (SELECT max(version) AS latest_version FROM breakouts_log GROUP BY size_bin)) AS breakouts,
    (SELECT (uniqExact(baseline), max(frozen_at)) FROM frozen_baselines) AS frozen,
    (SELECT (uniqExact(model_id), max(observed_at)) FROM models_log) AS models,
    (SELECT (uniqExact(source, name), max(observed_at)) FROM names_log) AS names,
    (SELECT (uniqExact(source, day), max(as_of)) FROM inference_log) AS inference,
    (SELECT sum(latest_version) FROM (SELECT max(version) AS latest_version FROM derivatives_log GROUP BY source)) AS derivatives,
    (SELECT (uniqExact(source, board, index_version, published_on), max(observed_at)) FROM ratings_log) AS scores,
    (SELECT uniqExact(what) FROM simulated) AS simulated
