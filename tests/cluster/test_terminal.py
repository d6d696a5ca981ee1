"""What is printed, to whom: terminals, pipes, documents, questions."""

import json
import re
import subprocess

import jsonschema
import pexpect
import pytest

from scripts.reference import REFERENCE
from tests.support.deploy import COMMAND, Deploy

ERROR = json.loads((REFERENCE / "schemas" / "error.schema.json").read_text())


def test_an_error_is_a_document_with_json(deploy: Deploy) -> None:
    for arguments, code in ((["probe"], "not-running"), (["probe", "--bogus"], "usage")):
        done = deploy.run(*arguments, "--json", check=False)
        document = json.loads(done.stderr)
        jsonschema.validate(document, ERROR)
        assert document["error"]["code"] == code
        assert document["error"]["exit_code"] == done.returncode
        assert done.stdout == ""


def test_without_a_terminal_output_is_plain_and_whole(deploy: Deploy) -> None:
    done = deploy.run("up", COLUMNS="20", TERM="xterm-256color")
    assert "\x1b" not in done.stdout + done.stderr
    assert f"http://127.0.0.1:{deploy.ports['metrics']}/metrics" in done.stdout
    status = deploy.run("status", COLUMNS="20").stdout
    assert re.search(rf"^frontend +SERVING +{deploy.address} +\d+ +\d", status, re.MULTILINE)


def test_a_reader_that_goes_away_is_no_error(deploy: Deploy) -> None:
    deploy.run("up")
    done = subprocess.run(
        ["bash", "-c", f"{COMMAND} logs --tail 10000 | head -1; echo ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        env=deploy.environment,
        check=True,
    )
    assert done.stdout.splitlines()[1] == "0"
    assert done.stderr == ""


@pytest.mark.needs("terminals")
def test_destroy_asks_and_takes_no_for_an_answer(deploy: Deploy) -> None:
    deploy.run("up")
    unasked = deploy.run("destroy", check=False)
    assert unasked.returncode == 4
    assert "--yes" in unasked.stderr
    for answer, code in (("n", 4), ("y", 0)):
        asked = pexpect.spawn(str(COMMAND), ["destroy"], env=deploy.environment, timeout=60)
        asked.expect("Delete them")
        asked.sendline(answer)
        asked.expect(pexpect.EOF)
        asked.close()
        assert asked.exitstatus == code
        assert deploy.data.exists() is (answer == "n")
