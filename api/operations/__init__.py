"""The operations, one file an area: what can be asked, and what a row of the answer holds."""
