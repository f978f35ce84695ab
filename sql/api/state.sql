-- Whether anything has changed. Versions count what their writer knew, by Kafka partition or size bin, so their sum grows
-- with every change; the other tables' rows are replaced by newer ones. Merges change nothing here.
SELECT
    (SELECT sum(known) FROM (SELECT max(version) AS known FROM scrapes_log GROUP BY partition)) AS downloads,
    (SELECT sum(known) FROM (SELECT max(version) AS known FROM points_log GROUP BY size_bin)) AS points,
    (SELECT sum(known) FROM (SELECT max(version) AS known FROM latest_log GROUP BY size_bin)) AS latest,
    (SELECT sum(known) FROM (SELECT max(version) AS known FROM baselines_log GROUP BY size_bin)) AS baselines,
    (SELECT sum(known) FROM (SELECT max(version) AS known FROM breakouts_log GROUP BY size_bin)) AS breakouts,
    (SELECT (uniqExact(baseline), max(frozen_at)) FROM frozen_baselines) AS frozen,
    (SELECT (uniqExact(model_id), max(observed_at)) FROM models_log) AS models,
    (SELECT (uniqExact(source, name), max(observed_at)) FROM names_log) AS names,
    (SELECT (uniqExact(source, day), max(as_of)) FROM inference_log) AS inference,
    (SELECT sum(known) FROM (SELECT max(version) AS known FROM derivatives_log GROUP BY source)) AS derivatives,
    (SELECT (uniqExact(source, board, index_version, published_on), max(observed_at)) FROM ratings_log) AS scores,
    (SELECT uniqExact(what) FROM simulated) AS simulated
