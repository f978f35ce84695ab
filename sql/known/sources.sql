-- All sources with what citations name of them.
SELECT toString(source) AS name, title, licence FROM sources_log FINAL
