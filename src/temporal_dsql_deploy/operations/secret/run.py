"""What the verbs of `secret` do; no result has anything of a password, but that of `show`."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal

from temporal_dsql_deploy.errors import (
    AwsFailed,
    DeployError,
    RefusedError,
    SecretUnusable,
)
from temporal_dsql_deploy.operations.secret.administrator import (
    USER,
    Administrator,
    check_password,
    check_user,
    generate,
)
from temporal_dsql_deploy.operations.secret.place import Place
from temporal_dsql_deploy.operations.secret.store import CURRENT, PREVIOUS, Described, Store, Value
from temporal_dsql_deploy.platforms.protocol import Result


@dataclass(frozen=True, slots=True)
class Wanted:
    """The administrator that is asked for."""

    user: str | None = None
    """None for the one that is there, else `admin`."""
    password: Callable[[], str] | None = None
    """Asks for the password when it is needed; None to generate one."""


@dataclass(frozen=True, slots=True)
class SecretResult(Result):
    """What became of the secret with Grafana's administrator."""

    environment: str
    region: str
    name: str
    action: Literal["create", "rotate", "keep"]
    """`keep`: it is as it should be, and nothing was changed."""
    dry_run: bool
    """Whether the action would be done, and was not."""
    user: str
    arn: str | None = None
    """Null where it is yet to be made."""
    version: str | None = None
    """Id of the current version; null where it is yet to be made."""
    previous: str | None = None
    """Id of the version before, which AWS keeps as AWSPREVIOUS."""
    kms_key: str | None = None
    """Null for the AWS-managed key of Secrets Manager."""
    restart: str = ""
    """The command by which Grafana gets what was rotated."""
    notes: list[str] = field(default_factory=list)
    """What is to be known, or to be done, besides."""


@dataclass(frozen=True, slots=True)
class SecretVersion(Result):
    """One version of a secret."""

    id: str
    stages: list[str]
    """AWSCURRENT is the one that is read; empty for one that AWS may remove."""


@dataclass(frozen=True, slots=True)
class SecretMetadata(Result):
    """What is known of a secret without its value."""

    environment: str
    region: str
    name: str
    arn: str
    kms_key: str | None
    """Null for the AWS-managed key of Secrets Manager."""
    created: datetime | None
    changed: datetime | None
    versions: list[SecretVersion]
    notes: list[str] = field(default_factory=list)
    """What is to be known besides."""


def setup(store: Store, wanted: Wanted, *, dry_run: bool) -> SecretResult:
    """Make the secret; one that can be used already is left as it is.

    Raises RefusedError where another one is there, or one that is to be deleted; InvalidSetting;
    what Secrets Manager raises.
    """
    user, place = check_user(wanted.user or USER), store.place
    described = store.describe()
    if described is not None:
        return _kept(store, wanted, described, dry_run=dry_run)
    if dry_run:
        return _result(place, "create", user, None, dry_run=True)
    made = Administrator(user, _password(wanted))
    arn = store.create(made)
    described = store.describe()
    if described is None:
        raise AwsFailed(
            f"secret {place.name} was made, and cannot be found",
            cause="Secrets Manager does not show it yet, or somebody has deleted it meanwhile",
            fix="look again: dsql-deploy secret setup ENV",
        )
    if arn is None:
        # Between our look and our call; what the other has made is judged as if it had been there.
        return _kept(store, wanted, described, dry_run=False)
    return _result(place, "create", user, described)


def rotate(store: Store, wanted: Wanted, *, dry_run: bool) -> SecretResult:
    """Give the administrator a new password, also where the secret holds none that can be used.

    Raises SecretUnusable where there is none to rotate; DeployError where somebody else has
    rotated it in the same moment; InvalidSetting; what Secrets Manager raises.
    """
    if wanted.user is not None:
        check_user(wanted.user)
    place, described = store.place, _there(store)
    value = store.value(described)
    now = value.administrator
    user = wanted.user or (now.user if now else USER)
    if dry_run:
        return _noted(_result(place, "rotate", user, described, dry_run=True), value)
    made = Administrator(user, _password(wanted), now.others if now else {})
    if made == now:
        return _result(place, "keep", user, described)
    before = described.version(CURRENT)
    version = store.put(described, made)
    described = _there(store)
    current = described.version(CURRENT)
    # Secrets Manager may still show what was before.
    if current not in (version, before):
        raise DeployError(
            f"secret {place.name} has been rotated by somebody else in the same moment",
            cause=f"version {current} is current, and ours is {version}",
            fix="what is current can be used: dsql-deploy secret show ENV",
        )
    return _noted(_result(place, "rotate", user, described), value)


def show(store: Store) -> Administrator:
    """The administrator with the password, for a terminal. Raises SecretUnusable."""
    described = _there(store)
    value = store.value(described)
    if value.administrator is None:
        raise SecretUnusable(
            f"secret {store.place.name} holds no administrator of Grafana",
            cause=value.unusable,
            fix="give it one: dsql-deploy secret rotate ENV",
        )
    return value.administrator


def metadata(store: Store) -> SecretMetadata:
    """All but the value, which is not even asked for. Raises SecretUnusable."""
    place, described = store.place, _there(store)
    return SecretMetadata(
        environment=place.environment,
        region=place.region,
        name=place.name,
        arn=described.arn,
        kms_key=described.kms_key,
        created=described.created,
        changed=described.changed,
        versions=[
            SecretVersion(key, sorted(stages)) for key, stages in sorted(described.versions.items())
        ],
        notes=list(place.notes),
    )


def _kept(store: Store, wanted: Wanted, described: Described, *, dry_run: bool) -> SecretResult:
    """The secret that is there, if it is what is asked for. Raises RefusedError."""
    place = store.place
    _refuse_deleted(place, described)
    value = store.value(described)
    now = value.administrator
    if now is None:
        raise RefusedError(
            f"secret {place.name} is there and holds no administrator of Grafana",
            cause=f"{value.unusable}; it may be somebody else's",
            fix="to give it one, and keep what it holds as its version before: "
            "dsql-deploy secret rotate ENV",
        )
    if wanted.user not in (None, now.user):
        raise _another(place, f"its user is {now.user}, not {wanted.user}")
    if wanted.password is not None and not dry_run and _password(wanted) != now.password:
        raise _another(place, "it has another password than the one that is given")
    return _result(place, "keep", now.user, described, dry_run=dry_run)


def _another(place: Place, cause: str) -> RefusedError:
    return RefusedError(
        f"secret {place.name} is there already, with another administrator",
        cause=cause,
        fix="to change it: dsql-deploy secret rotate ENV",
    )


def _there(store: Store) -> Described:
    place = store.place
    described = store.describe()
    if described is None:
        raise SecretUnusable(
            f"there is no secret {place.name} in {place.region}",
            cause=f"it is where environment {place.environment} has its administrator of Grafana",
            fix="make it: dsql-deploy secret setup ENV; or name another: --name, --region",
        )
    _refuse_deleted(place, described)
    return described


def _refuse_deleted(place: Place, described: Described) -> None:
    if described.deletion is None:
        return
    raise RefusedError(
        f"secret {place.name} is going to be deleted",
        cause=f"its deletion was asked for on {described.deletion:%Y-%m-%d %H:%M %Z}; until it is "
        "gone it can be restored, and no other can have its name",
        fix=f"aws secretsmanager restore-secret --secret-id {described.arn} --region "
        f"{place.region}, then try again",
    )


def _password(wanted: Wanted) -> str:
    return check_password(wanted.password()) if wanted.password else generate()


def _noted(result: SecretResult, value: Value) -> SecretResult:
    if value.administrator is not None:
        return result
    note = f"what it held before is no administrator: {value.unusable}"
    return replace(result, notes=[*result.notes, note])


def _result(
    place: Place,
    action: Literal["create", "rotate", "keep"],
    user: str,
    described: Described | None,
    *,
    dry_run: bool = False,
) -> SecretResult:
    return SecretResult(
        environment=place.environment,
        region=place.region,
        name=place.name,
        action=action,
        dry_run=dry_run,
        user=user,
        arn=described.arn if described else None,
        version=described.version(CURRENT) if described else None,
        previous=described.version(PREVIOUS) if described else None,
        kms_key=described.kms_key if described else place.kms_key,
        restart=place.restart if action == "rotate" else "",
        notes=list(place.notes),
    )
