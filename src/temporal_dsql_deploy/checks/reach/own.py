"""The family that the rules of this package belong to."""

from temporal_dsql_deploy.checks.family import Family

FAMILY = Family("reach", "Whoever must reach somebody can, and nobody else")
