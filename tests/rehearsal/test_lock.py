"""The lock of an environment in S3: one has it, a dead one does not keep it."""

import os
import subprocess
import sys
import threading
from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from temporal_dsql_deploy.errors import Locked
from temporal_dsql_deploy.persistence import lock
from temporal_dsql_deploy.persistence.lock import Holder, Lock, Place
from temporal_dsql_deploy.platforms.ecs import lock as environment_lock
from temporal_dsql_deploy.platforms.processes.identity import identify
from temporal_dsql_deploy.rehearsal.aws.server import REGION, EmulatedAws
from tests.support import aws as account

BUCKET = "temporal-states"


@pytest.fixture(scope="module")
def bucket(aws: EmulatedAws) -> str:
    account.client(aws, "s3").create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    return BUCKET


@pytest.fixture
def directory(
    aws: EmulatedAws, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Of an environment whose state is in the bucket."""
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for name, value in aws.environment().items():
        monkeypatch.setenv(name, value)
    (tmp_path / "main.tf").write_text(
        f'terraform {{\n  backend "s3" {{\n    bucket = "{bucket}"\n    key = "{tmp_path.name}"\n'
        f'    region = "{REGION}"\n  }}\n}}\n'
    )
    return tmp_path


def _place(directory: Path) -> Place:
    found = environment_lock.place(directory)
    assert found is not None
    return found


def _holder(token: str, **more: Any) -> Holder:
    return replace(Holder(token, f"{token}@host, process 1", "up", ""), **more)


def _lock(place: Place, token: str) -> Lock:
    return Lock(place, _holder(token), lambda _holder: False)


def _ignore(_line: str) -> None:
    pass


def test_a_second_one_is_refused_and_told_who_has_it(directory: Path) -> None:
    with environment_lock.held(directory, "up", _ignore):
        with (
            pytest.raises(Locked, match=r"dsql-deploy up by .*, process") as caught,
            environment_lock.held(directory, "destroy", _ignore),
        ):
            raise AssertionError
        assert "lock release ENV" in caught.value.fix
    assert _place(directory).read() is None
    with environment_lock.held(directory, "destroy", _ignore):
        pass


def test_of_many_at_once_one_has_it(directory: Path) -> None:
    place = _place(directory)
    won: list[str] = []
    start = threading.Barrier(8)

    def run(token: str) -> None:
        mine = _lock(place, token)
        start.wait()
        try:
            mine.take(_ignore)
        except Locked:
            return
        won.append(token)

    threads = [threading.Thread(target=run, args=(f"t{number}",)) for number in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    held = place.read()
    assert held is not None
    assert won == [held.holder.token]


def test_what_a_killed_one_has_left_expires(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = _place(directory)
    assert place.write(_holder("killed"), None)
    with pytest.raises(Locked, match="killed@host"):
        _lock(place, "second").take(_ignore)
    monkeypatch.setattr(lock, "LEASE", timedelta(seconds=-1))
    said: list[str] = []
    _lock(place, "third").take(said.append)
    held = place.read()
    assert held is not None
    assert held.holder.who.startswith("third@")
    assert "killed@host" in said[0]


def test_a_dead_process_of_this_machine_is_taken_over_at_once(directory: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    identity = identify(process.pid)
    assert identity is not None
    machine = environment_lock._machine()
    dead = _holder("dead", machine=machine, process=asdict(identity))
    place = _place(directory)
    assert place.write(dead, None)
    with pytest.raises(Locked), environment_lock.held(directory, "up", _ignore):
        raise AssertionError
    assert environment_lock.look(place) is not None
    process.communicate(b"\n")
    assert environment_lock.look(place) is None
    said: list[str] = []
    with environment_lock.held(directory, "up", said.append):
        assert "runs no more" in said[0]


def test_a_process_of_another_machine_is_not_judged(directory: Path) -> None:
    place = _place(directory)
    elsewhere = _holder("far", machine="other", process={"pid": 1, "start_time": "never"})
    assert place.write(elsewhere, None)
    with pytest.raises(Locked), environment_lock.held(directory, "up", _ignore):
        raise AssertionError


def test_it_is_renewed_while_it_is_held_and_its_loss_is_known(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "_RENEW_SECONDS", 0.05)
    place = _place(directory)
    mine = _lock(place, "mine")
    mine.take(_ignore)
    mine.check()
    held = place.read()
    assert held is not None
    while not place.write(_holder("thief"), held.etag):
        held = place.read()
        assert held is not None
    renewal = mine._renewal
    assert renewal is not None
    renewal.join(30)
    with pytest.raises(Locked, match="is lost") as caught:
        mine.check()
    assert "thief@host" in caught.value.cause
    mine.release()
    left = place.read()
    assert left is not None
    assert left.holder.who.startswith("thief@")


def test_a_lock_that_cannot_be_read_is_somebodys(directory: Path) -> None:
    place = _place(directory)
    place.s3.put_object(Bucket=place.bucket, Key=place.key, Body=b"\xff{")
    with pytest.raises(Locked, match="somebody whose lock cannot be read"):
        _lock(place, "mine").take(_ignore)


def test_a_state_in_a_file_is_locked_by_the_kernel(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text("")
    with environment_lock.held(tmp_path, "up", _ignore) as taken:
        assert taken is None
        with (
            pytest.raises(Locked, match=f"dsql-deploy up by .*process {os.getpid()}"),
            environment_lock.held(tmp_path, "up", _ignore),
        ):
            raise AssertionError
    with environment_lock.held(tmp_path, "up", _ignore):
        pass


def test_it_is_written_with_the_credentials_of_the_backend(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Terraform reads and writes the state beside it: central buckets are another account's."""
    config = directory / "config"
    config.write_text(
        "[profile states]\naws_access_key_id = of-the-profile\naws_secret_access_key = secret\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    own = directory / "main.tf"
    text = own.read_text()

    def key(more: str) -> str:
        own.write_text(text.replace('key = "', f'{more}\n    key = "'))
        place = _place(directory)
        assert place.write(_holder("one"), None)
        credentials = place.s3._request_signer._credentials.get_frozen_credentials()
        found = place.read()
        assert found is not None
        assert place.delete(found.etag)
        return str(credentials.access_key)

    assert key('profile = "states"') == "of-the-profile"
    role = "arn:aws:iam::999999999999:role/states"
    nested = f'assume_role = {{\n      role_arn = "{role}"\n      external_id = "ours"\n    }}'
    # AWS gives keys that begin so to who assumes a role.
    assert key(f'profile = "states"\n    {nested}').startswith("ASIA")
