"""The web page: what the API tells, for people to look at."""
