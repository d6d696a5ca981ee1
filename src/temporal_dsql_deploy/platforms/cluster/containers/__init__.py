"""The four roles in containers on this machine, with PostgreSQL and the Web UI."""
