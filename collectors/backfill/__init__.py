"""History from before the first scrape: archives of the Hub, or a file of observations.

It is published as ordinary observations in the past, with the archive's name as their `origin`.
"""
