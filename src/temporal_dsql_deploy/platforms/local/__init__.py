"""The embedded server: a whole Temporal cluster in one process, with SQLite and the Web UI."""
