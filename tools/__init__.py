"""Tools that build and document the project; none is shipped."""
