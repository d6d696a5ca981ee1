"""The family itself, which the modules beside it fill."""

from temporal_dsql_deploy.checks.family import Family

FAMILY = Family("services", "One service for each role, on instances that scale, found by name")
