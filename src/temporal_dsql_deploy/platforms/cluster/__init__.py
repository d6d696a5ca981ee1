"""The four roles as processes on this machine, with PostgreSQL and the Web UI."""
