"""Pure computations on arrays: no I/O, and no import of the rest of the project."""
