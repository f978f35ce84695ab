"""Operations of the API, one file per area."""
