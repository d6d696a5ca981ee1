"""CloudWatch Logs: a key for a group that exists, which moto can give only to a new one."""

from moto.logs.exceptions import ResourceNotFoundException
from moto.logs.responses import LogsResponse

from temporal_dsql_deploy.rehearsal.aws.extensions.patch import add


@add(LogsResponse)
def associate_kms_key(self: LogsResponse) -> str:
    """Encrypt from now on."""
    return _set_key(self, self._get_param("kmsKeyId"))


@add(LogsResponse)
def disassociate_kms_key(self: LogsResponse) -> str:
    """Encrypt with AWS's own key from now on."""
    return _set_key(self, None)


def _set_key(response: LogsResponse, key: str | None) -> str:
    group = response.logs_backend.groups.get(response._get_param("logGroupName"))
    if group is None:
        raise ResourceNotFoundException
    group.kms_key_id = key
    return ""
