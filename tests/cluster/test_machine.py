"""What a machine may lack or refuse: each a clear error with a remedy, and nothing left behind."""

import os
import socket
import subprocess

import pytest

from tests.support.deploy import COMMAND, Deploy
from tests.support.machine import MOUNT_NAMESPACE


def in_mount_namespace(
    script: str, environment: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run a shell script whose mounts nobody else sees."""
    return subprocess.run(
        [*MOUNT_NAMESPACE, "sh", "-ec", script],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )


def test_a_taken_port_names_the_process_and_the_option(deploy: Deploy) -> None:
    for name, option in (("frontend", "--port"), ("ui", "--ui-port"), ("http", "--http-port")):
        with socket.create_server(("127.0.0.1", deploy.ports[name])):
            done = deploy.run("up", check=False)
            assert done.returncode == 3
            assert f"port {deploy.ports[name]}" in done.stderr
            assert f"process {os.getpid()} (" in done.stderr
            assert f"with {option}" in done.stderr
            assert not deploy.record_path.exists()
    deploy.run("up")


def test_a_running_cluster_is_not_touched_when_its_new_port_is_taken(deploy: Deploy) -> None:
    deploy.run("up")
    run = deploy.record()
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        done = deploy.run("up", "--ui-port", str(taken), check=False)
    assert done.returncode == 3
    assert deploy.record() == run
    assert run.alive()


def test_a_missing_binary(deploy: Deploy) -> None:
    done = deploy.run("up", "--temporal-binary", "/nowhere/temporal", check=False)
    assert done.returncode == 3
    assert "/nowhere/temporal does not exist" in done.stderr
    text = deploy.folder / "text"
    text.write_text("no program")
    text.chmod(0o755)
    done = deploy.run("up", "--temporal-binary", str(text), check=False)
    assert done.returncode == 3
    assert "not a Temporal CLI that runs here" in done.stderr
    assert not deploy.record_path.exists()


def test_a_state_directory_that_cannot_be_made(deploy: Deploy) -> None:
    (deploy.folder / "file").write_text("")
    done = deploy.run("up", XDG_STATE_HOME=str(deploy.folder / "file"), check=False)
    assert done.returncode == 3
    assert "cannot be used to keep data" in done.stderr
    assert "--data-dir" in done.stderr


def test_a_directory_of_somebody_else_is_refused_and_stays_as_it_is(deploy: Deploy) -> None:
    theirs = deploy.folder / "theirs"
    theirs.mkdir()
    (theirs / "thesis.txt").write_text("dear")
    for verb in ("up", "down", "destroy"):
        done = deploy.run(verb, "--data-dir", str(theirs), check=False)
        assert (verb, done.returncode) in {("up", 4), ("down", 0), ("destroy", 0)}
    assert [path.name for path in theirs.iterdir()] == ["thesis.txt"]
    mine = deploy.folder / "mine"
    deploy.run("up", "--data-dir", str(mine))
    deploy.write_environment(name="other")
    done = deploy.run("up", "other", "--data-dir", str(mine), check=False)
    assert done.returncode == 4
    assert "belongs to environment 'local'" in done.stderr


@pytest.mark.needs("mount namespaces")
def test_a_full_disk(deploy: Deploy) -> None:
    deploy.state.mkdir()
    script = f"mount -t tmpfs -o size=1m tmpfs {deploy.state}; exec {COMMAND} up"
    done = in_mount_namespace(script, deploy.environment)
    assert done.returncode == 3
    assert "is full" in done.stderr
    assert "--data-dir" in done.stderr


@pytest.mark.needs("mount namespaces")
def test_a_disk_without_a_single_free_byte(deploy: Deploy) -> None:
    deploy.state.mkdir()
    script = (
        f"mount -t tmpfs -o size=16k,nr_inodes=4 tmpfs {deploy.state};"
        f"head -c 1m /dev/zero > {deploy.state}/zeros || true; exec {COMMAND} up"
    )
    done = in_mount_namespace(script, deploy.environment)
    assert done.returncode == 3, done.stderr
    assert "No space left on device" in done.stderr or "is full" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.needs("mount namespaces")
def test_a_read_only_home(deploy: Deploy) -> None:
    home = deploy.folder / "home"
    home.mkdir()
    environment = {**deploy.environment, "HOME": str(home)}
    del environment["XDG_STATE_HOME"]
    data = deploy.folder / "elsewhere"
    read_only = f"mount --bind {home} {home}; mount -o remount,ro,bind {home};"

    def run(arguments: str) -> subprocess.CompletedProcess[str]:
        return in_mount_namespace(f"{read_only} exec {COMMAND} {arguments}", environment)

    refused = run("up")
    assert refused.returncode == 3
    assert "Read-only file system" in refused.stderr
    assert "XDG_STATE_HOME" in refused.stderr
    for verb in ("up", "status", "probe", "logs", "down"):
        done = run(f"{verb} --data-dir {data}")
        assert done.returncode == 0, done.stderr
    assert list(home.iterdir()) == []


def test_a_server_that_ends_at_once_is_explained(deploy: Deploy) -> None:
    own = deploy.folder / "temporal"
    own.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && { echo temporal version 1.9.1; exit; }\n'
        "echo the flux capacitor is empty >&2; exit 3\n"
    )
    own.chmod(0o755)
    done = deploy.run("up", "--temporal-binary", str(own), check=False)
    assert done.returncode == 1
    assert "the server exited with code 3 before it was ready" in done.stderr
    assert "the flux capacitor is empty" in done.stderr
    assert not deploy.record_path.exists()


def test_an_unknown_environment_lists_the_known_ones(deploy: Deploy) -> None:
    deploy.write_environment(name="mine")
    for verb in ("up", "status", "down", "destroy", "logs", "probe", "doctor", "open"):
        done = deploy.run(verb, "lokal", check=False)
        assert done.returncode == 3
        assert "known environments: bench, cluster, dev, local, mine, prod" in done.stderr
        assert "did you mean local?" in done.stderr


def test_output_that_cannot_be_written_is_an_error(deploy: Deploy) -> None:
    done = subprocess.run(
        ["bash", "-c", f"{COMMAND} status > /dev/full"],
        env=deploy.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "the output cannot be used" in done.stderr
    assert "No space left on device" in done.stderr
    assert "Exception" not in done.stderr
