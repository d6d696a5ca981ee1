"""Calls of AWS through its own SDK, and what its refusals are told as."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from temporal_dsql_deploy.errors import (
    AwsFailed,
    CredentialsExpired,
    CredentialsMissing,
    DeployError,
    MissingError,
    PermissionMissing,
    WrongAccount,
)

_CONNECT_SECONDS = 5
_READ_SECONDS = 30
_ATTEMPTS = 5
"""Of each call: throttling and passing troubles are tried again by the SDK."""
NEW_CREDENTIALS = "get new ones (with IAM Identity Center: aws sso login), then try again"
SOME_CREDENTIALS = (
    "give some: aws sso login, AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
)
_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AccessDeniedFault")
_UNKNOWN = (
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "InvalidSignatureException",
    "SignatureDoesNotMatch",
    "AuthFailure",
)


@dataclass(frozen=True, slots=True)
class Identity:
    """Other credentials than those that AWS's SDK finds by itself."""

    profile: str | None = None
    role: str | None = None
    """ARN of a role that is assumed, with the profile's credentials."""
    external_id: str | None = None


def client(service: str, region: str | None = None, identity: Identity | None = None) -> Any:
    """A client of one service, with the credentials that AWS's SDK finds, or others.

    `region` is the SDK's own choice when it is None. Raises CredentialsMissing for a profile that
    is not there, MissingError without a region.
    """
    from botocore.config import Config

    settings = Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=_READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
    )
    with calling(f"make a client of {service}"):
        # Not boto3.client: that one's session is shared, and not safe to use from threads.
        session = _session(identity or Identity())
        return session.client(service, region_name=region, config=settings)


def _session(identity: Identity) -> Any:
    import boto3
    from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials

    session = boto3.session.Session(profile_name=identity.profile)
    if identity.role is None:
        return session
    given = {"ExternalId": identity.external_id} if identity.external_id else {}
    core = session._session
    fetcher = AssumeRoleCredentialFetcher(
        core.create_client, session.get_credentials(), identity.role, extra_args=given
    )
    assumed = boto3.session.Session(profile_name=identity.profile)
    assumed._session._credentials = DeferredRefreshableCredentials(
        fetcher.fetch_credentials, "assume-role"
    )
    return assumed


def authorities() -> str:
    """The file of certificates that AWS's SDK trusts, Amazon Root CA 1 among them."""
    from botocore.httpsession import get_cert_path

    return str(get_cert_path(os.environ.get("AWS_CA_BUNDLE") or True))


def credentials(what: str) -> Any:
    """The credentials that AWS's SDK finds, which renew themselves where they can.

    `what` is for: an infinitive. Raises CredentialsMissing, CredentialsExpired.
    """
    import boto3

    with calling(what):
        found = boto3.session.Session().get_credentials()
    if found is None:
        raise CredentialsMissing(
            "there are no AWS credentials that can be used",
            cause=f"AWS's SDK finds none to {what} with",
            fix=SOME_CREDENTIALS,
        )
    return found


def region() -> str | None:
    """The region of the environment's variables or the profile, None where neither says one."""
    import boto3

    with calling("find the region of the profile"):
        found: str | None = boto3.session.Session().region_name
        return found or os.environ.get("AWS_REGION")


def regions() -> list[str]:
    """All regions with Amazon ECS that AWS's SDK knows, of every partition.

    Raises CredentialsMissing for a profile that is not there.
    """
    import boto3

    with calling("find the regions that there are"):
        session = boto3.session.Session()
        return [
            region
            for partition in session.get_available_partitions()
            for region in session.get_available_regions("ecs", partition_name=partition)
        ]


@contextmanager
def calling(what: str) -> Iterator[None]:
    """A block that calls AWS to do `what`, an infinitive; its failures are told as `told` does."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise told(error, what) from error


def refusal(error: Exception) -> str:
    """The code of a refusal, such as `ResourceNotFoundException`; empty when AWS said none."""
    # That of a time-out is there, and None.
    response = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def told(error: Exception, what: str) -> DeployError:
    """What a failure of the SDK is told as, of a call to do `what`."""
    said = " ".join(str(error).split())
    kind, message, fix = _meaning(error, said)
    return kind(message.format(what=what), cause=said, fix=fix)


def _meaning(error: Exception, said: str) -> tuple[type[DeployError], str, str]:
    """The error that it is, its message and what to do."""
    from botocore import exceptions

    code = refusal(error)
    if "expired" in f"{code} {said}".lower():
        return CredentialsExpired, "the AWS credentials have expired", NEW_CREDENTIALS
    if code in _DENIED:
        fix = "let them do what it says, or use others: AWS_PROFILE"
        return PermissionMissing, "AWS does not let these credentials {what}", fix
    if code in _UNKNOWN:
        return CredentialsMissing, "AWS does not know these credentials", SOME_CREDENTIALS
    for kind, meaning in {
        exceptions.ClientError: (
            AwsFailed,
            "AWS could not {what}",
            "correct what it says, then try again",
        ),
        exceptions.NoRegionError: (
            MissingError,
            "which AWS region is meant is not known",
            "name it in AWS_REGION",
        ),
        (exceptions.HTTPClientError, exceptions.ConnectionError): (
            MissingError,
            "AWS cannot be reached",
            _way(),
        ),
        exceptions.ProfileNotFound: (
            CredentialsMissing,
            "there is no such AWS profile",
            "name one that there is (aws configure list-profiles), or unset AWS_PROFILE",
        ),
    }.items():
        if isinstance(error, kind):
            return meaning
    # All that is left of the SDK's errors: it found none, or could not get those that it found.
    return CredentialsMissing, "there are no AWS credentials that can be used", SOME_CREDENTIALS


def _way() -> str:
    """What may be wrong on the way to AWS."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        return (
            f"nobody may be at AWS_ENDPOINT_URL, {endpoint}, any more, as after the end of a "
            "rehearsal: open another shell, or unset what it has set"
        )
    return "see to the network, the proxy and the region"


def account() -> str:
    """The account that the credentials are of, 12 digits. Raises what `told` makes of a failure."""
    with calling("ask whose they are (sts:GetCallerIdentity)"):
        return str(client("sts").get_caller_identity()["Account"])


def check_account(environment: str, wanted: str) -> None:
    """Refuse credentials of another account than the one `environment` is in.

    Raises WrongAccount, and what `told` makes of a failed call.
    """
    own = account()
    if own != wanted:
        raise WrongAccount(
            f"the AWS credentials are of account {own}, and environment {environment} is in "
            f"{wanted}",
            cause="the one is what AWS says, the other stands in the environment's file or in the "
            "state of its Terraform",
            fix="use credentials of the environment's account: AWS_PROFILE",
        )
