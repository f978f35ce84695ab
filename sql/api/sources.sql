-- Sources of the data, with licence and citation.
SELECT toString(source) AS source, title, measures, url, licence, as_of, citation
FROM sources
