"""The canary, on the embedded cluster."""

import json
import signal
import urllib.request

from tests.support.deploy import Deploy, free_ports


def test_it_probes_again_and_again_until_a_signal(deploy: Deploy) -> None:
    deploy.run("up")
    (port,) = free_ports(1)
    patient = ("--watch", "1", "--deadline", "60")
    canary = deploy.start("probe", "local", *patient, "--metrics-port", str(port), "--json")
    assert canary.stdout is not None
    rounds = [json.loads(canary.stdout.readline()) for _ in range(2)]
    assert [check for one in rounds for check in one["checks"] if not check["ok"]] == []
    assert rounds[0]["task_queue"] != rounds[1]["task_queue"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as page:
        shown = page.read().decode()
    assert "dsql_deploy_probe_ok 1.0" in shown
    assert 'dsql_deploy_probe_check_ok{check="parent-close"} 1.0' in shown

    deploy.run("down")
    for line in canary.stdout:
        if not json.loads(line)["ok"]:
            break
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as page:
        assert "dsql_deploy_probe_ok 0.0" in page.read().decode()
    canary.send_signal(signal.SIGTERM)
    _, said = canary.communicate(timeout=30)
    assert canary.returncode == 130
    assert "Traceback" not in said


def test_a_port_that_is_taken_is_said(deploy: Deploy) -> None:
    deploy.run("up")
    port = str(deploy.ports["frontend"])
    done = deploy.run("probe", "local", "--watch", "9", "--metrics-port", port, check=False)
    assert done.returncode == 3
    assert f"port {port}" in done.stderr
    assert "--metrics-port" in done.stderr
