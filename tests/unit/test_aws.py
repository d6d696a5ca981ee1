"""What a failure of AWS's SDK is told as."""

import pytest
from botocore import exceptions

from temporal_dsql_deploy import aws
from temporal_dsql_deploy.errors import (
    AwsFailed,
    CredentialsExpired,
    CredentialsMissing,
    DeployError,
    MissingError,
    PermissionMissing,
)


def _refused(code: str) -> Exception:
    error: Exception = exceptions.ClientError(
        {"Error": {"Code": code, "Message": "no"}}, "GetSecretValue"
    )
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (_refused("ExpiredTokenException"), CredentialsExpired),
        (_refused("RequestExpired"), CredentialsExpired),
        (_refused("AccessDeniedException"), PermissionMissing),
        (_refused("UnrecognizedClientException"), CredentialsMissing),
        (_refused("ThrottlingException"), AwsFailed),
        (exceptions.NoCredentialsError(), CredentialsMissing),
        (exceptions.ProfileNotFound(profile="other"), CredentialsMissing),
        (exceptions.NoRegionError(), MissingError),
        (exceptions.EndpointConnectionError(endpoint_url="https://x"), MissingError),
        (exceptions.ConnectTimeoutError(endpoint_url="https://x"), MissingError),
        (exceptions.ReadTimeoutError(endpoint_url="https://x"), MissingError),
        (exceptions.TokenRetrievalError(provider="sso", error_msg="expired"), CredentialsExpired),
        (exceptions.CredentialRetrievalError(provider="p", error_msg="x"), CredentialsMissing),
    ],
)
def test_a_failure_is_told_as_what_it_is(error: Exception, kind: type[DeployError]) -> None:
    told = aws.told(error, "read the secret")
    assert type(told) is kind
    assert told.cause
    assert told.fix


def test_the_message_says_what_was_being_done() -> None:
    told = pytest.raises(PermissionMissing, match="let these credentials read the secret")
    with told, aws.calling("read the secret"):
        raise _refused("AccessDenied")


@pytest.mark.parametrize(
    ("endpoint", "fix"),
    [("", "see to the network"), ("http://127.0.0.1:1", "unset what it has set")],
)
def test_an_endpoint_of_a_rehearsal_that_has_ended_is_named(
    monkeypatch: pytest.MonkeyPatch, endpoint: str, fix: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    error = exceptions.EndpointConnectionError(endpoint_url="https://sts.amazonaws.com/")
    assert fix in aws.told(error, "ask").fix


def test_a_profile_that_is_not_there_is_not_asked_for_again() -> None:
    found = aws.told(exceptions.ProfileNotFound(profile="nope"), "ask")
    assert isinstance(found, CredentialsMissing)
    assert "nope" in found.cause
    assert "list-profiles" in found.fix
