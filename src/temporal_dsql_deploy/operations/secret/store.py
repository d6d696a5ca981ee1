"""The calls of Secrets Manager, and what stands there.

Each call that changes something does all of it or nothing: a secret comes with its first value, and
a new version is current at once, with the one before kept as AWSPREVIOUS. A call that the SDK
repeats has the same token, by which AWS knows it (ClientRequestToken, the version's id).
"""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from temporal_dsql_deploy import aws
from temporal_dsql_deploy.errors import AwsFailed, PermissionMissing
from temporal_dsql_deploy.operations.secret.administrator import Administrator, parse
from temporal_dsql_deploy.operations.secret.place import Place

CURRENT = "AWSCURRENT"
PREVIOUS = "AWSPREVIOUS"
_KEY_REFUSES = re.compile(r"Access to KMS|DecryptionFailure|EncryptionFailure|\bkms:")


@dataclass(frozen=True, slots=True)
class Described:
    """What is known of a secret without its value."""

    arn: str
    kms_key: str | None
    """None for AWS's own key of Secrets Manager."""
    created: datetime | None
    changed: datetime | None
    deletion: datetime | None
    """When its deletion was asked for; None where it was not."""
    versions: dict[str, list[str]]
    """The stages of each version, by its id."""

    def version(self, stage: str) -> str | None:
        """The id of the version at a stage."""
        return next((key for key, stages in self.versions.items() if stage in stages), None)


@dataclass(frozen=True, slots=True)
class Value:
    """The current value of a secret."""

    administrator: Administrator | None
    """None where it holds none."""
    unusable: str = ""
    """Why."""


@dataclass(frozen=True, slots=True)
class Store:
    """Secrets Manager, for one secret; each call raises what `aws.told` makes of a refusal."""

    place: Place
    manager: Any
    """A client of it in the secret's region."""

    @classmethod
    def of(cls, place: Place) -> Self:
        """With the credentials that AWS's SDK finds."""
        return cls(place, aws.client("secretsmanager", place.region))

    def describe(self) -> Described | None:
        """The secret, without its value; None where there is none."""
        with aws.calling(f"look for secret {self.place.name} (secretsmanager:DescribeSecret)"):
            try:
                said = self.manager.describe_secret(SecretId=self.place.name)
            except self.manager.exceptions.ResourceNotFoundException:
                return None
        return Described(
            arn=said["ARN"],
            kms_key=_key(said.get("KmsKeyId")),
            created=said.get("CreatedDate"),
            changed=said.get("LastChangedDate"),
            deletion=said.get("DeletedDate"),
            versions=dict(said.get("VersionIdsToStages", {})),
        )

    def value(self, described: Described) -> Value:
        """The current value. Raises PermissionMissing also where it is the key that denies."""
        what = f"read secret {self.place.name} (secretsmanager:GetSecretValue)"
        with _calling(what, described.kms_key):
            try:
                said = self.manager.get_secret_value(SecretId=described.arn)
            except self.manager.exceptions.ResourceNotFoundException:
                return Value(None, "it has no value")
        if "SecretString" not in said:
            return Value(None, "it is binary, and ECS reads keys of a JSON text")
        try:
            return Value(parse(said["SecretString"]))
        except ValueError as error:
            return Value(None, str(error))

    def create(self, administrator: Administrator) -> str | None:
        """Make the secret with its first value; its ARN, None where there is one of that name."""
        place = self.place
        key = {"KmsKeyId": place.kms_key} if place.kms_key else {}
        with _calling(f"make secret {place.name} (secretsmanager:CreateSecret)", place.kms_key):
            try:
                made = self.manager.create_secret(
                    Name=place.name,
                    Description=f"Administrator of Grafana in environment {place.environment}",
                    SecretString=administrator.document(),
                    ClientRequestToken=_token(),
                    Tags=[{"Key": name, "Value": text} for name, text in place.tags.items()],
                    **key,
                )
            except self.manager.exceptions.ResourceExistsException:
                return None
        return str(made["ARN"])

    def put(self, described: Described, administrator: Administrator) -> str:
        """A new version, current at once; its id."""
        what = f"write secret {self.place.name} (secretsmanager:PutSecretValue)"
        with _calling(what, described.kms_key):
            made = self.manager.put_secret_value(
                SecretId=described.arn,
                SecretString=administrator.document(),
                ClientRequestToken=_token(),
            )
        return str(made["VersionId"])


def _token() -> str:
    return str(uuid.uuid4())


def _key(said: str | None) -> str | None:
    return None if said in (None, "", "alias/aws/secretsmanager") else said


@contextmanager
def _calling(what: str, key: str | None) -> Iterator[None]:
    """As `aws.calling`, with the refusals of a key, which AWS tells apart in its words alone."""
    try:
        with aws.calling(what):
            yield
    except (PermissionMissing, AwsFailed) as error:
        if not _KEY_REFUSES.search(error.cause):
            raise
        raise PermissionMissing(
            f"the KMS key does not let these credentials {what}",
            cause=f"{error.cause} (the key is {key or 'that of AWS, aws/secretsmanager'})",
            fix="let them kms:Decrypt and kms:GenerateDataKey on that key, in their policy and in "
            "the key's, or use others: AWS_PROFILE",
        ) from error
