"""The proof that a cluster on ECS works: a probe, made from where its tasks can be dialled."""

from temporal_dsql_deploy.environments.model import Environment
from temporal_dsql_deploy.operations.on_ecs import inside
from temporal_dsql_deploy.operations.probe.result import ProbeResult
from temporal_dsql_deploy.operations.prove import Proof
from temporal_dsql_deploy.operations.prove import prove as prove_here
from temporal_dsql_deploy.platforms.ecs.platform import EcsPlatform
from temporal_dsql_deploy.platforms.protocol import Report


def prove(
    platform: EcsPlatform, environment: Environment, proof: Proof, report: Report
) -> ProbeResult:
    """Probe from here where that is possible, else by a task inside the VPC.

    Raises what `inside.run` does.
    """
    if platform.direct:
        return prove_here(platform, environment, proof, report)
    # A new cluster has no namespace, and from outside nobody can register one.
    command = probe_command(environment, proof.deadline, make=proof.changed)
    report("a task inside the VPC probes the cluster")
    return inside.run(
        platform.deployed,
        platform.clients,
        command,
        ProbeResult,
        lambda line: report(f"probe: {line}"),
    )


def probe_command(
    environment: Environment, deadline: float, namespace: str = "", *, make: bool = False
) -> list[str]:
    """The verb that such a task runs; with `make` it registers a namespace that is not there."""
    named = namespace or environment.probe_namespace
    command = ["probe", environment.name, "--namespace", named, "--deadline", f"{deadline:g}"]
    return [*command, *(["--make-namespace"] if make else [])]
