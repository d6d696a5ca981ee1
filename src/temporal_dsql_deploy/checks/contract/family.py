"""The family itself, for the modules that fill it."""

from temporal_dsql_deploy.checks.family import Family

FAMILY = Family("contract", "What each container is told, and how ECS runs it")
