"""What builds and documents the project, none of it shipped."""
