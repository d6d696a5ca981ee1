"""The family of rules about room."""

from temporal_dsql_deploy.checks.family import Family

FAMILY = Family("fit", "Every task finds room on the instances")
