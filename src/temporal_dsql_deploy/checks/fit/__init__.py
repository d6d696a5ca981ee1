"""Every task finds room on the instances: at rest, in a deployment, and with something lost."""

import temporal_dsql_deploy.checks.fit.deployments
import temporal_dsql_deploy.checks.fit.instances
import temporal_dsql_deploy.checks.fit.launch
import temporal_dsql_deploy.checks.fit.losses
import temporal_dsql_deploy.checks.fit.providers
import temporal_dsql_deploy.checks.fit.rest
import temporal_dsql_deploy.checks.fit.sizes
import temporal_dsql_deploy.checks.fit.strategies  # noqa: F401 - each makes its rules so
from temporal_dsql_deploy.checks.fit.family import FAMILY

__all__ = ["FAMILY"]
