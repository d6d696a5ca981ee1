"""The family, in a module of its own so that each file of rules can fill it."""

from temporal_dsql_deploy.checks.family import Family

FAMILY = Family("identity", "Each role allows what its component does, and nothing else")
