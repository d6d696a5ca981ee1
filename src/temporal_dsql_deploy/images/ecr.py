"""Amazon ECR: repositories as terraform/account makes them, and a password for twelve hours."""

import base64
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from temporal_dsql_deploy import aws
from temporal_dsql_deploy.images.registry import Registry
from temporal_dsql_deploy.interrupts import uninterrupted

_MISSING = "RepositoryNotFoundException"
_THERE = "RepositoryAlreadyExistsException"
LIFECYCLE = {
    "rules": [
        {
            "rulePriority": 1,
            "description": "The last 10 untagged images",
            "selection": {
                "tagStatus": "untagged",
                "countType": "imageCountMoreThan",
                "countNumber": 10,
            },
            "action": {"type": "expire"},
        }
    ]
}
"""As terraform/account has it; a test compares. Tagged images stay: a rollback may ask for one."""


def host(account: str, region: str) -> str:
    """The registry of an account in a region."""
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return f"{account}.dkr.ecr.{region}.{suffix}"


def repositories(region: str, names: Iterable[str]) -> dict[str, bool]:
    """Which of these are there, and whether their tags are immutable. Raises as `aws.told`."""
    from botocore.exceptions import ClientError

    found = {}
    client = aws.client("ecr", region)
    with aws.calling("look at the image repositories"):
        for name in names:
            try:
                (one,) = client.describe_repositories(repositoryNames=[name])["repositories"]
            except ClientError as error:
                if aws.refusal(error) != _MISSING:
                    raise
                continue
            found[name] = one["imageTagMutability"].startswith("IMMUTABLE")
    return found


def make(region: str, name: str, tags: Mapping[str, str]) -> bool:
    """Make a repository, whole or not at all; False where somebody else has just made it."""
    from botocore.exceptions import ClientError

    client = aws.client("ecr", region)
    with uninterrupted(), aws.calling(f"make the image repository {name}"):
        try:
            client.create_repository(
                repositoryName=name,
                imageTagMutability="IMMUTABLE",
                imageScanningConfiguration={"scanOnPush": True},
                tags=[{"Key": key, "Value": value} for key, value in tags.items()],
            )
        except ClientError as error:
            if aws.refusal(error) != _THERE:
                raise
            return False
        try:
            text = json.dumps(LIFECYCLE)
            client.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=text)
        except ClientError:
            # It is empty yet, and the next run would take it for finished.
            client.delete_repository(repositoryName=name)
            raise
    return True


def logged_in(account: str, region: str) -> Registry:
    """The registry with a password that AWS gives for these credentials."""
    with aws.calling("log in to the image registry"):
        (given,) = aws.client("ecr", region).get_authorization_token()["authorizationData"]
    user, _, password = base64.b64decode(given["authorizationToken"]).decode().partition(":")
    return Registry(host(account, region), user=user, password=password)


def pushed(region: str, name: str) -> list[Mapping[str, Any]]:
    """Each tag of a repository: tag, digest, pushed (datetime), size (bytes); newest first."""
    from botocore.exceptions import ClientError

    with aws.calling(f"list the images of {name}"):
        pages = aws.client("ecr", region).get_paginator("describe_images")
        try:
            details = [
                one for page in pages.paginate(repositoryName=name) for one in page["imageDetails"]
            ]
        except ClientError as error:
            if aws.refusal(error) != _MISSING:
                raise
            return []
    return sorted(
        (
            {
                "tag": tag,
                "digest": one["imageDigest"],
                "pushed": one.get("imagePushedAt"),
                "size": one.get("imageSizeInBytes"),
            }
            for one in details
            for tag in one.get("imageTags", ())
        ),
        key=_pushed,
        reverse=True,
    )


def _pushed(one: Mapping[str, Any]) -> str:
    when = one["pushed"]
    return when.isoformat() if isinstance(when, datetime) else ""
