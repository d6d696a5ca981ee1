"""The family itself, which the modules beside it fill."""

from temporal_dsql_deploy.checks.family import Family

FAMILY = Family("telemetry", "The metrics of every task are scraped once")
