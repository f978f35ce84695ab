-- Baselines as of a timestamp: the downloads at which RAM is 1.0, by size bin and age.
SELECT toString(baseline) AS baseline, toString(size_bin) AS size_bin, age_days, peers, downloads, as_of
-- past:
FROM baselines_as_of(moment = {as_of:DateTime64(3, 'UTC')})
-- :past
-- now:
FROM baselines
-- :now
WHERE (empty({baseline:Array(String)}) OR baseline IN {baseline:Array(String)})
    AND (empty({size_bin:Array(String)}) OR size_bin IN {size_bin:Array(String)})
    AND (empty({age_days:Array(UInt16)}) OR age_days IN {age_days:Array(UInt16)})
