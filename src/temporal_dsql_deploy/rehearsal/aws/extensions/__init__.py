"""What moto lacks or gets wrong of the services that the Terraform here uses, one file a service.

Nothing here is needed by an AWS account: each function says what the Terraform provider, or a
caller of `dsql-deploy`, asks that moto does not answer.
"""

from temporal_dsql_deploy.rehearsal.aws.extensions import patch


def install() -> None:
    """Extend moto, once in a process. Raises MotoChangedError when it is not the moto expected."""
    patch.check_version()
    # Importing is extending: each file puts its functions into moto's classes.
    from temporal_dsql_deploy.rehearsal.aws.extensions import (  # noqa: F401
        autoscaling,
        backup,
        client_vpn,
        dynamodb,
        ec2,
        ecs,
        elbv2,
        logs,
        prometheus,
        s3,
    )
