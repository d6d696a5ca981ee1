"""What has to be there, or to hold, before anything is applied: secret, images, rules."""

import re
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from temporal_dsql_deploy import aws
from temporal_dsql_deploy.errors import ChecksFailed, DeployError, ImageUnusable
from temporal_dsql_deploy.images.definitions import IMAGES
from temporal_dsql_deploy.operations import check as checking
from temporal_dsql_deploy.operations.plan.run import How as Planning
from temporal_dsql_deploy.operations.secret import place, run
from temporal_dsql_deploy.operations.secret.store import Store
from temporal_dsql_deploy.operations.staged.steps import Doing, Seen, Step
from temporal_dsql_deploy.operations.staged.work import Work
from temporal_dsql_deploy.terraform.run import side_by_side

_ECR = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[\w-]+)\.amazonaws\.com(?:\.cn)?/"
    r"(?P<repository>[^:@]+)(?::(?P<tag>[^@]+))?(?:@(?P<digest>sha256:\w+))?"
)
_NOT_THERE = ("ImageNotFoundException", "RepositoryNotFoundException")
_SHOWN = 5


def secret(work: Work) -> Step:
    """Grafana's administrator, which Terraform only reads."""
    return Step(
        "secret",
        "the secret with Grafana's administrator is there",
        lambda: _look_at_secret(work),
        lambda doing: _make_secret(work, doing),
    )


def _look_at_secret(work: Work) -> Seen:
    if not work.variable("telemetry", "grafana_enabled", True):
        return Seen(True, "the environment has no Grafana")
    found = run.setup(_store(work), run.Wanted(), dry_run=True)
    return Seen(
        found.action == "keep",
        f"{'there is' if found.action == 'keep' else 'there is no'} secret {found.name}",
    )


def _make_secret(work: Work, doing: Doing) -> str:
    store = _store(work)
    doing.changing()
    made = run.setup(store, run.Wanted(), dry_run=False)
    return f"made the secret {made.name}; to see the password: dsql-deploy secret show ENV"


def _store(work: Work) -> Store:
    how = place.How(var_files=work.how.var_files, terraform=work.how.terraform)
    return Store.of(place.find(work.environment, how))


@dataclass(frozen=True, slots=True)
class Named:
    """An image that a variable of Terraform names."""

    variable: str
    name: str


def images(work: Work) -> Step:
    """The images that the variables name."""
    return Step(
        "images",
        "the images that the variables name are in their registries",
        lambda: _look_at_images(work),
        lambda doing: _push(work, doing),
    )


def named(work: Work) -> list[Named]:
    """The images of all that is switched on; those that the variables say nothing of left out."""
    used = {
        "grafana": work.variable("telemetry", "grafana_enabled", True),
        "loki": work.variable("telemetry", "loki_enabled", True),
        "adot": work.variable("telemetry", "adot_enabled", False),
        "otel_collector": work.variable("telemetry", "collector", "otel") == "otel",
        "alloy": work.variable("telemetry", "collector", "otel") == "alloy",
        "ui": work.variable("ui", "enabled", True),
        "benchmark": work.variable("benchmark", "enabled", False),
    }
    said = [
        (name, work.variables.get(name))
        for name in ("temporal_image", "temporal_admin_tools_image")
    ]
    said += [(f"images.{part}", work.variable("images", part, None)) for part in used if used[part]]
    return [Named(variable, str(name)) for variable, name in said if name]


def _look_at_images(work: Work) -> Seen:
    wanted = named(work)
    lacking = list(_lacking(wanted))
    if lacking:
        listed = ", ".join(f"{one.name} ({one.variable})" for one in lacking)
        return Seen(False, f"not in their registry: {listed}")
    asked = [one for one in wanted if _ECR.fullmatch(one.name)]
    others = [one.name for one in wanted if one not in asked]
    note = f"; not asked, as they are not in Amazon ECR: {', '.join(others)}" if others else ""
    return Seen(True, f"{len(asked)} images are in Amazon ECR{note}")


def _lacking(wanted: list[Named]) -> Iterator[Named]:
    from botocore.exceptions import ClientError

    for one in wanted:
        found = _ECR.fullmatch(one.name)
        if found is None:
            continue
        by = {"imageDigest": found["digest"]} if found["digest"] else {"imageTag": found["tag"]}
        with aws.calling(f"look for the image {one.name} (ecr:DescribeImages)"):
            try:
                aws.client("ecr", found["region"]).describe_images(
                    registryId=found["account"],
                    repositoryName=found["repository"],
                    imageIds=[{name: value or "latest" for name, value in by.items()}],
                )
            except ClientError as error:
                if aws.refusal(error) not in _NOT_THERE:
                    raise
                yield one


def _push(work: Work, doing: Doing) -> str:
    """Push those that were built here under these very names. Raises ImageUnusable."""
    lacking = list(_lacking(named(work)))
    built = _built_here(lacking)
    missing = [one.name for one in lacking if one.name not in built]
    if missing:
        raise ImageUnusable(
            f"not in its registry, and not built here: {', '.join(missing)}",
            cause=f"{', '.join(one.variable for one in lacking if one.name in missing)} in the "
            "variables of the Terraform",
            fix="dsql-deploy images build ENV --source PATH, then dsql-deploy images push ENV, "
            "which prints the lines for terraform.tfvars",
        )
    from temporal_dsql_deploy.images.engine import choose
    from temporal_dsql_deploy.operations.images import push

    account = push.own(work.environment, work.region, work.how.terraform)
    for tag, pair in built.values():
        image, architecture = pair
        request = push.Request(work.name, account, architecture, (image,), tag)
        push.push(request, choose(), doing.news)
    return f"pushed {', '.join(built)}"


def _built_here(lacking: list[Named]) -> Mapping[str, tuple[str, tuple[str, str]]]:
    """Of these names, those that this machine has: tag, image and architecture."""
    from temporal_dsql_deploy.images.engine import choose
    from temporal_dsql_deploy.operations.images.found import local

    try:
        here = {one.name.removeprefix("localhost/"): one for one in local(choose())}
    except DeployError:
        # Without an engine nothing was built here.
        return {}
    found = {}
    for one in lacking:
        parts = _ECR.fullmatch(one.name)
        own = here.get(f"{parts['repository']}:{parts['tag']}") if parts else None
        if parts and own and not parts["digest"] and IMAGES[own.image]:
            found[one.name] = (str(parts["tag"]), (own.image, own.architecture))
    return found


def check(work: Work) -> Step:
    """The proof, before anything is spent."""
    return Step(
        "check",
        "the rules hold: the cluster would form, fit, and stay within DSQL's limits",
        lambda: _check(work),
    )


def _check(work: Work) -> Seen:
    how = Planning(
        offline=True,
        var_files=work.how.var_files,
        terraform=work.how.terraform,
        provider_mirror=work.how.provider_mirror,
        on_event=work.how.on_event,
    )
    with side_by_side(), ThreadPoolExecutor(2) as threads:
        judged = threads.submit(checking.check, work.environment, how, checking.Options())
        if work.is_to_plan:
            # It takes as long, and other things; where it fails, the step that needs it says why.
            threads.submit(work.planned)
    result = judged.result().result
    if result.ok:
        skipped = f", {result.counts['SKIP']} could not be judged" if result.counts["SKIP"] else ""
        return Seen(True, f"{result.counts['OK']} rules hold{skipped}")
    found = [
        f"{rule.rule}: {finding.evidence}"
        for rule in result.rules
        for finding in rule.findings
        if not finding.suppressed
    ]
    more = f"\nand {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    raise ChecksFailed(
        f"{len(found)} findings speak against applying this",
        cause="\n".join(found[:_SHOWN]) + more,
        fix="dsql-deploy check ENV says what each would cause and how to mend it; what is accepted "
        "goes into checks.toml, with a reason",
    )
