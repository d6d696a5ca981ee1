"""S3: bucket policies, of which moto leaves out the conditions."""

from moto.iam.access_control import PermissionResult
from moto.s3.models import FakeBucket

from temporal_dsql_deploy.rehearsal.aws.extensions.patch import Method, wrap


@wrap(FakeBucket)
def get_permission(_original: Method, _self: FakeBucket, _action: str, _resource: str) -> object:
    """A policy is kept, not applied: without its condition "only with TLS" denies everything."""
    return PermissionResult.NEUTRAL
