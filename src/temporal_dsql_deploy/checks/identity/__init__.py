"""Identity: least privilege, as an allow-list of what each component does with its role."""

from temporal_dsql_deploy.checks.identity import endpoints, excess, missing, resources, trust
from temporal_dsql_deploy.checks.identity.family import FAMILY

__all__ = ["FAMILY", "endpoints", "excess", "missing", "resources", "trust"]
