-- title: RAM of selected models by age
-- description: Cumulative downloads at each whole-day age, divided by the baseline of the model's size bin at that age: 1.0 is the baseline.
-- sources: huggingface, tracked-models
-- parameter models Array(String) = : model ids, separated by commas; empty: the five latest confirmed breakouts
-- parameter baseline String = live: name of the baseline
-- column model_id: model id
-- column size_bin: its size bin
-- column age_days: whole days since release
-- column ram: Relative Adoption Metric; null with fewer than 10 peers
-- column cumulative: clean cumulative downloads at that age
-- column baseline_downloads: downloads at which RAM is 1.0
SELECT model_id, size_bin, age_days, ram, cumulative, baseline_downloads
FROM ram
WHERE baseline = {baseline:String} AND model_id IN
(
    SELECT arrayJoin(if(empty({models:Array(String)}), latest, {models:Array(String)}))
    FROM
    (
        SELECT groupArray(model_id) AS latest
        FROM
        (
            SELECT model_id FROM breakouts WHERE baseline = {baseline:String} AND status = 'confirmed'
            ORDER BY crossed_at DESC, model_id LIMIT 5
        )
    )
)
ORDER BY model_id, age_days
