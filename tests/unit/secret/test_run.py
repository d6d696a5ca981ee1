"""setup, show and rotate against Secrets Manager as moto plays it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws
from pydantic import TypeAdapter

from temporal_dsql_deploy.errors import (
    DeployError,
    InvalidSetting,
    PermissionMissing,
    RefusedError,
    SecretUnusable,
)
from temporal_dsql_deploy.operations.secret import run
from temporal_dsql_deploy.operations.secret.place import Place
from temporal_dsql_deploy.operations.secret.run import Wanted
from temporal_dsql_deploy.operations.secret.store import Described, Store

REGION = "eu-west-1"
PLACE = Place("dev", REGION, "temporal-dev/grafana/admin", None, {"Project": "temporal-dev"})
OWN = "own-password"


@pytest.fixture(scope="module")
def made() -> Iterator[Any]:
    """A client of Secrets Manager: making one takes longer than all that it is asked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("AWS_PROFILE", raising=False)
        patch.delenv("AWS_ENDPOINT_URL", raising=False)
        with mock_aws():
            yield boto3.session.Session().client("secretsmanager", region_name=REGION)


@pytest.fixture
def manager(made: Any) -> Any:
    """The client, in an account without secrets."""
    for one in made.list_secrets(IncludePlannedDeletion=True)["SecretList"]:
        made.delete_secret(SecretId=one["ARN"], ForceDeleteWithoutRecovery=True)
    return made


@pytest.fixture
def here(manager: Any) -> Store:
    return Store(PLACE, manager)


def own(text: str = OWN) -> Wanted:
    return Wanted(password=lambda: text)


def written(manager: Any) -> Any:
    return json.loads(manager.get_secret_value(SecretId=PLACE.name)["SecretString"])


def holds(manager: Any, text: str) -> None:
    manager.create_secret(Name=PLACE.name, SecretString=text)


def test_setup_makes_it_and_the_second_finds_it(here: Store, manager: Any) -> None:
    planned = run.setup(here, Wanted(), dry_run=True)
    assert (planned.action, planned.dry_run, planned.arn) == ("create", True, None)
    assert manager.list_secrets()["SecretList"] == []
    made = run.setup(here, Wanted(), dry_run=False)
    assert made.action == "create"
    first = written(manager)
    assert first["admin_user"] == "admin"
    assert len(first["admin_password"]) == 40
    again = run.setup(here, Wanted(), dry_run=False)
    assert (again.action, again.arn, again.version) == ("keep", made.arn, made.version)
    assert written(manager) == first
    said = manager.describe_secret(SecretId=PLACE.name)
    assert said["Tags"] == [{"Key": "Project", "Value": "temporal-dev"}]
    assert "KmsKeyId" not in said


def test_setup_takes_a_key_a_user_and_a_password(here: Store, manager: Any) -> None:
    arn = f"arn:aws:kms:{REGION}:123456789012:key/5c6f2b1e-0000-4000-8000-000000000000"
    there = Store(replace(PLACE, kms_key=arn), manager)
    made = run.setup(there, Wanted("ops", lambda: OWN), dry_run=False)
    assert (made.user, made.kms_key) == ("ops", arn)
    assert written(manager) == {"admin_user": "ops", "admin_password": OWN}


def test_the_first_of_two_makes_it_and_the_second_takes_that(
    here: Store, manager: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second has looked before the first has made it."""
    run.setup(here, Wanted(), dry_run=False)
    first = written(manager)
    real, looks = Store.describe, []

    def describe(store: Store) -> Described | None:
        looks.append(store)
        return None if len(looks) == 1 else real(store)

    monkeypatch.setattr(Store, "describe", describe)
    assert run.setup(here, Wanted(), dry_run=False).action == "keep"
    assert written(manager) == first
    assert len(manager.list_secret_version_ids(SecretId=PLACE.name)["Versions"]) == 1


def test_setup_changes_nothing_that_is_there(here: Store, manager: Any) -> None:
    run.setup(here, own(), dry_run=False)
    assert run.setup(here, own(), dry_run=False).action == "keep"
    for other in (own("another-password"), Wanted("somebody")):
        with pytest.raises(RefusedError, match="there already") as raised:
            run.setup(here, other, dry_run=False)
        assert "dsql-deploy secret rotate ENV" in raised.value.fix
    assert written(manager)["admin_password"] == OWN


@pytest.mark.parametrize("text", ["plain password", '{"admin_user": "admin"}', "{}"])
def test_what_is_no_administrator_is_not_overwritten_but_rotated(
    here: Store, manager: Any, text: str
) -> None:
    holds(manager, text)
    with pytest.raises(RefusedError, match="holds no administrator") as refused:
        run.setup(here, Wanted(), dry_run=False)
    with pytest.raises(SecretUnusable, match="holds no administrator"):
        run.show(here)
    assert "plain password" not in f"{refused.value.cause}{refused.value.fix}"
    result = run.rotate(here, Wanted(), dry_run=False)
    assert result.notes
    assert run.show(here).user == "admin"
    before = manager.get_secret_value(SecretId=PLACE.name, VersionStage="AWSPREVIOUS")
    assert before["SecretString"] == text


def test_a_binary_secret_is_no_administrator(here: Store, manager: Any) -> None:
    manager.create_secret(Name=PLACE.name, SecretBinary=b"{}")
    with pytest.raises(RefusedError, match="holds no administrator") as raised:
        run.setup(here, Wanted(), dry_run=False)
    assert "binary" in raised.value.cause


def test_rotate_keeps_the_version_before_and_whatever_else_is_there(
    here: Store, manager: Any
) -> None:
    holds(manager, json.dumps({"admin_user": "ops", "admin_password": OWN, "url": "x"}))
    planned = run.rotate(here, Wanted(), dry_run=True)
    assert (planned.action, planned.user) == ("rotate", "ops")
    assert written(manager)["admin_password"] == OWN
    result = run.rotate(here, Wanted(), dry_run=False)
    now = written(manager)
    assert (now["admin_user"], now["url"]) == ("ops", "x")
    assert now["admin_password"] != OWN
    previous = manager.get_secret_value(SecretId=PLACE.name, VersionStage="AWSPREVIOUS")
    assert previous["VersionId"] == result.previous == planned.version
    assert json.loads(previous["SecretString"])["admin_password"] == OWN


def test_rotate_to_the_password_that_it_has_is_nothing(here: Store, manager: Any) -> None:
    run.setup(here, own(), dry_run=False)
    assert run.rotate(here, own(), dry_run=False).action == "keep"
    assert len(manager.list_secret_version_ids(SecretId=PLACE.name)["Versions"]) == 1


def test_a_write_that_the_sdk_repeats_is_one_version(here: Store, manager: Any) -> None:
    """After an answer that was lost: the same token, by which AWS knows the write."""
    run.setup(here, own(), dry_run=False)
    answers: list[str] = []

    def lose(response: Any, **_: Any) -> int | None:
        answers.append(response[1]["VersionId"])
        return 0 if len(answers) == 1 else None

    event = "needs-retry.secrets-manager.PutSecretValue"
    manager.meta.events.register_first(event, lose)
    result = run.rotate(here, Wanted(), dry_run=False)
    manager.meta.events.unregister(event, lose)
    assert answers == [result.version, result.version]
    assert len(manager.list_secret_version_ids(SecretId=PLACE.name)["Versions"]) == 2


def test_a_rotation_that_another_has_overtaken_says_so(
    here: Store, manager: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.setup(here, Wanted(), dry_run=False)
    real = Store.put

    def overtaken(*given: Any) -> str:
        version = real(*given)
        manager.put_secret_value(SecretId=PLACE.name, SecretString="{}")
        return version

    monkeypatch.setattr(Store, "put", overtaken)
    with pytest.raises(DeployError, match="by somebody else in the same moment"):
        run.rotate(here, Wanted(), dry_run=False)


def test_a_secret_that_is_going_to_be_deleted_can_be_restored(here: Store, manager: Any) -> None:
    run.setup(here, own(), dry_run=False)
    manager.delete_secret(SecretId=PLACE.name, RecoveryWindowInDays=7)
    for verb in (
        lambda: run.setup(here, Wanted(), dry_run=False),
        lambda: run.setup(here, Wanted(), dry_run=True),
        lambda: run.rotate(here, Wanted(), dry_run=False),
        lambda: run.show(here),
        lambda: run.metadata(here),
    ):
        with pytest.raises(RefusedError, match="going to be deleted") as raised:
            verb()
        assert "aws secretsmanager restore-secret --secret-id arn:aws" in raised.value.fix
    manager.restore_secret(SecretId=PLACE.name)
    assert run.setup(here, own(), dry_run=False).action == "keep"


def test_without_a_secret_there_is_nothing_to_show_or_rotate(here: Store, manager: Any) -> None:
    for verb in (
        lambda: run.rotate(here, Wanted(), dry_run=True),
        lambda: run.rotate(here, Wanted(), dry_run=False),
        lambda: run.show(here),
        lambda: run.metadata(here),
    ):
        with pytest.raises(SecretUnusable, match="there is no secret") as raised:
            verb()
        assert "dsql-deploy secret setup ENV" in raised.value.fix


@pytest.mark.parametrize(
    ("code", "said", "means"),
    [
        ("AccessDeniedException", "Access to KMS is not allowed", "the KMS key does not let"),
        ("DecryptionFailure", "cannot decrypt", "the KMS key does not let"),
        ("AccessDeniedException", "not authorized to perform x", "AWS does not let"),
    ],
)
def test_a_key_that_denies_is_told_apart_from_the_secret(
    here: Store, manager: Any, code: str, said: str, means: str
) -> None:
    run.setup(here, own(), dry_run=False)
    refused = ClientError({"Error": {"Code": code, "Message": said}}, "GetSecretValue")

    def refuse(**_: Any) -> None:
        raise refused

    class Refusing:
        exceptions = manager.exceptions
        describe_secret = manager.describe_secret
        get_secret_value = staticmethod(refuse)

    with pytest.raises(PermissionMissing, match=means):
        run.show(Store(PLACE, Refusing))


def test_metadata_reads_no_value(here: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    made = run.setup(here, own(), dry_run=False)
    monkeypatch.setattr(Store, "value", lambda *_: pytest.fail("the value was asked for"))
    found = run.metadata(here)
    assert found.arn == made.arn
    assert [(one.id, one.stages) for one in found.versions] == [(made.version, ["AWSCURRENT"])]


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    passwords=st.lists(
        st.text(alphabet="QRSTUVWXYZ%&'\"\\é ", min_size=8, max_size=20), min_size=1, max_size=3
    )
)
def test_no_result_or_error_has_a_password(here: Store, passwords: list[str]) -> None:
    for password in passwords:
        for verb in (run.setup, run.rotate):
            try:
                said: object = verb(here, own(password), dry_run=False)
                told = TypeAdapter(type(said)).dump_json(said).decode() + repr(said)
            except (InvalidSetting, RefusedError, SecretUnusable) as error:
                told = f"{error!r} {error.message} {error.cause} {error.fix}"
            assert password not in told
            assert json.dumps(password)[1:-1] not in told
