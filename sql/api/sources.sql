-- Where the numbers come from, their licences, and how to cite them.
SELECT toString(source) AS source, title, measures, url, licence, as_of, citation
FROM sources
