"""The HTTP client of all collectors: retries, rate limits, redirects, pagination links."""
