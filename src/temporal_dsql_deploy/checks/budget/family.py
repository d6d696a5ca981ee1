"""The family, and words that several of its rules have."""

from temporal_dsql_deploy.checks.family import Family

FAMILY = Family("budget", "DSQL's connections")
QUOTAS = "Aurora DSQL user guide, quotas"
MEASURED = "measured with the Temporal-DSQL server at cf90c57"
PLUGIN = "Temporal-DSQL plugin source at cf90c57"
RATE_EXCEEDED = (
    "DSQL refuses connects with 53400: in legacy mode `FATAL: Unable to accept connection, rate "
    "exceeded. (SQLSTATE 53400)` stands in the info line `Token-refreshing driver connection "
    "failed`; reservoir mode logs no cause, only `driver: bad connection`, and "
    '`dsql_reservoir_refill_failures_total{reason="connection_open"}` grows.'
)
