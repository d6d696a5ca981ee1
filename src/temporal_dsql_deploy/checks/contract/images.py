"""Images and secrets: what a task definition names must be there, and stay what it was."""

import re
from collections.abc import Iterator

from temporal_dsql_deploy.checks.contract.family import FAMILY
from temporal_dsql_deploy.checks.contract.places import Place, containers, judged
from temporal_dsql_deploy.checks.model import Said
from temporal_dsql_deploy.checks.subject import Subject

_NAMES = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_IMAGE = re.compile(
    rf"(?:[A-Za-z0-9.-]+(?::[0-9]+)?/)?{_NAMES}(?:/{_NAMES})*"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?P<digest>@sha256:[0-9a-f]{64})?"
)
_MOVING = re.compile(r"(latest|main|master|stable|edge|nightly|dev|develop|head|v?\d+|v?\d+\.\d+)")
_SECRET = re.compile(
    r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+"
    r"(?P<field>:[^:]*:(?:AWSCURRENT|AWSPREVIOUS|AWSPENDING|[\w/+=.@-]*):[\w-]*)?"
)
_VERSION_ID = re.compile(r"(|[\w-]{32,64})")
_PARAMETER = re.compile(r"arn:aws[a-z-]*:ssm:[a-z0-9-]+:\d{12}:parameter/[\w./-]+")
_NAME_ONLY = re.compile(r"/?[\w.-]+(/[\w.-]+)*")


def is_production(subject: Subject) -> bool:
    """Whether a plan is of an environment whose data must not be lost."""
    clusters = subject.plan.of_type("aws_dsql_cluster")
    protected = any(each["deletion_protection_enabled"] is True for each in clusters)
    main = [task.main for task in subject.tasks if task.main]
    named = any(each.environment.get("DEPLOY_ENVIRONMENT", "").startswith("prod") for each in main)
    return protected or named or bool(re.search(r"(^|[-_])prod", subject.project))


@FAMILY.rule(
    "image",
    holds="An image has a digest, or a tag that stays what it was.",
    symptom="A task that ECS starts tomorrow may run other code than those beside it, and a "
    "rollback to an older revision brings the new code back.",
    fix="Name the image with a tag of its own, or with @sha256:...",
    source="ECS developer guide, task definitions: image",
)
def image(subject: Subject) -> Iterator[Said]:
    """In production tags that usually move count too; elsewhere no tag, and `latest`."""
    strict = is_production(subject)

    def judge(place: Place) -> Iterator[Said]:
        text = place.container.image
        found = _IMAGE.fullmatch(text)
        if "${" in text or (found and found["digest"]):
            return
        if found is None:
            yield place.finding("image", f"`{text}` is no image")
        elif found["tag"] is None:
            yield place.finding("image", f"{text} has no tag, which means latest")
        elif found["tag"] == "latest" or (strict and _MOVING.fullmatch(found["tag"])):
            yield place.finding("image", text)

    return judged(containers(subject), judge)


@FAMILY.rule(
    "secret-reference",
    holds="A secret is named by the full ARN of a secret or parameter, in the form that ECS reads.",
    symptom="The task does not start: `ResourceInitializationError: unable to pull secrets or "
    "registry auth`.",
    fix="arn:aws:secretsmanager:...:secret:NAME, with :FIELD:: for one field of a JSON secret; the "
    "ARN of the parameter.",
    source="ECS developer guide, specifying-sensitive-data",
)
def secret_reference(subject: Subject) -> Iterator[Said]:
    """Whether a field is in a secret, no plan shows."""

    def judge(place: Place) -> Iterator[Said]:
        for name, text in place.container.secrets.items():
            path = f"secrets.{name}"
            if not text.startswith("arn:"):
                if not _NAME_ONLY.fullmatch(text):
                    yield place.finding(path, f"{name} is `{text}`, no ARN")
                continue
            secret = _SECRET.fullmatch(text)
            if secret and (field := secret["field"]):
                _, key, _, version = field.split(":")
                if not key and not version:
                    yield place.finding(path, f"{name} is `{text}`: the field has no name")
                elif not _VERSION_ID.fullmatch(version):
                    yield place.finding(path, f"{name} is `{text}`: `{version}` is no version")
            elif not secret and not _PARAMETER.fullmatch(text):
                yield place.finding(path, f"{name} is `{text}`, no ARN of a secret or parameter")

    return judged(containers(subject), judge)
