"""Every task finds room on the instances: at rest, in a deployment, and with something lost."""

import temporal_dsql_deploy.checks.fit.deployments
import temporal_dsql_deploy.checks.fit.instances
import temporal_dsql_deploy.checks.fit.losses
import temporal_dsql_deploy.checks.fit.rest
import temporal_dsql_deploy.checks.fit.sizes  # noqa: F401 - each makes its rules when it is imported
from temporal_dsql_deploy.checks.fit.family import FAMILY

__all__ = ["FAMILY"]
