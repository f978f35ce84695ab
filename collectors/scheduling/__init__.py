"""When a source runs, and which instance runs it."""
