"""Identity: least privilege, as an allow-list of what each component does with its role."""

from temporal_dsql_deploy.checks.identity import (
    domains,
    endpoints,
    excess,
    keys,
    missing,
    resources,
    trust,
)
from temporal_dsql_deploy.checks.identity.family import FAMILY

__all__ = ["FAMILY", "domains", "endpoints", "excess", "keys", "missing", "resources", "trust"]
