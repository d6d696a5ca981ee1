"""Grafana: its data sources, who may open it, and where it listens."""

import re
from collections.abc import Iterator

from temporal_dsql_deploy.checks.contract.addresses import namespaces, records
from temporal_dsql_deploy.checks.contract.family import FAMILY
from temporal_dsql_deploy.checks.contract.places import (
    Place,
    each,
    judged,
)
from temporal_dsql_deploy.checks.contract.values import quoted, switch, whole
from temporal_dsql_deploy.checks.model import Said, Unjudged
from temporal_dsql_deploy.checks.subject import Subject

_GRAFANA = "grafana.com docs: configure Grafana, environment variables"
_URL = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[^\s]*)?")


def _grafana(subject: Subject) -> Iterator[Place | Unjudged]:
    for place in each(subject, lambda t: t.party == "grafana", "Grafana"):
        if isinstance(place, Unjudged) or place.container is place.task.main:
            yield place


@FAMILY.rule(
    "grafana-metrics",
    holds="Grafana signs its queries and asks the workspace of the plan.",
    symptom="Every panel says `403 Forbidden` or `no data`: AMP answers signed requests alone, and "
    "data that stands in another workspace is not found.",
    fix="GF_AUTH_SIGV4_AUTH_ENABLED true, AWS_REGION, AWS_SDK_LOAD_CONFIG true, and the query "
    "endpoint of the workspace.",
    source="Amazon Managed Service for Prometheus user guide, AMP-onboard-query-standalone-grafana",
)
def grafana_metrics(subject: Subject) -> Iterator[Said]:
    """Only where the plan has a workspace, or Grafana is told of one."""
    workspaces = subject.plan.of_type("aws_prometheus_workspace")
    endpoints = [workspace["prometheus_endpoint"] for workspace in workspaces]

    def judge(place: Place) -> Iterator[Said]:
        text = place.value("AMP_ENDPOINT")
        if not workspaces and not place.has("AMP_ENDPOINT"):
            yield place.unjudged("no workspace is in the plan, and Grafana is told of none")
            return
        for name in ("GF_AUTH_SIGV4_AUTH_ENABLED", "AWS_SDK_LOAD_CONFIG"):
            if switch(place.value(name)) is not True:
                yield place.variable(name, f"{name} is {quoted(place.value(name))}")
        region = place.value("AWS_REGION")
        if not region or region != (subject.region or region):
            wanted = f", the workspace is in {subject.region}" if subject.region else ""
            yield place.variable("AWS_REGION", f"AWS_REGION is {quoted(region)}{wanted}")
        if text is None:
            # Another image than ours may have its data source inside.
            ours_here = place.has("LOKI_ENDPOINT")
            if ours_here:
                yield place.variable("AMP_ENDPOINT", "AMP_ENDPOINT is not set")
        elif not _is_workspace(text, subject.region):
            yield place.variable("AMP_ENDPOINT", f"AMP_ENDPOINT is {quoted(text)}")
        elif endpoints and all(isinstance(e, str) for e in endpoints) and text not in endpoints:
            known = ", ".join(endpoints)
            yield place.variable("AMP_ENDPOINT", f"AMP_ENDPOINT is {quoted(text)}, not {known}")

    return judged(_grafana(subject), judge)


def _is_workspace(text: str, region: str | None) -> bool:
    """Whether a text is the base of a workspace's query API: with the slash, without `/api`."""
    place = re.escape(region) if region else r"[a-z0-9-]+"
    pattern = rf"https://aps-workspaces\.{place}\.amazonaws\.com(\.cn)?/workspaces/ws-[0-9a-z-]+/?"
    return re.fullmatch(pattern, text) is not None


@FAMILY.rule(
    "grafana-logs",
    holds="Grafana asks the Loki of the plan, by the name that it is registered with.",
    symptom="The log panels say `no such host` or stay empty.",
    fix="Set LOKI_ENDPOINT to http:// with the private DNS name of Loki and its port.",
    source="grafana.com docs: Loki data source",
)
def grafana_logs(subject: Subject) -> Iterator[Said]:
    """Only where the plan has a Loki."""
    name = "LOKI_ENDPOINT"
    loki = [task for task in subject.tasks if task.party == "loki" and task.service]
    mine = [record for record in records(subject) if record.task.party == "loki"]
    ports = {port for task in loki for one in task.containers or () for port in one.ports}

    def judge(place: Place) -> Iterator[Said]:
        text = place.value(name)
        if not loki and text is None:
            return
        found = re.fullmatch(r"https?://([^/:]+):([0-9]+)/?", text or "")
        if found is None:
            if not place.has(name) or text is not None:
                yield place.variable(name, f"{name} is {quoted(text)}")
            return
        host, port = found[1], int(found[2])
        made = any(host.endswith(f".{domain}") for domain in namespaces(subject))
        if mine and not any(record.is_named(host) for record in mine):
            yield place.variable(name, f"{name} is `{text}`, Loki is {mine[0].name}")
        elif made and not mine:
            yield place.variable(name, f"{name} is `{text}`, and nothing registers that name")
        elif ports and port not in ports:
            yield place.variable(name, f"{name} is `{text}`, Loki listens on {min(ports)}")

    return judged(_grafana(subject), judge)


@FAMILY.rule(
    "grafana-access",
    holds="Whoever opens Grafana signs in, and its administrator's name and password are a secret.",
    symptom="Without the password it is `admin`, which everybody knows; with anonymous access "
    "everybody sees all; without the form nobody gets in.",
    fix="GF_SECURITY_ADMIN_USER and GF_SECURITY_ADMIN_PASSWORD by `secrets`; anonymous access off, "
    "the login form on.",
    source=_GRAFANA,
)
def grafana_access(subject: Subject) -> Iterator[Said]:
    """With another way to sign in the form may be off, and the password of no use."""
    other = re.compile(r"GF_AUTH_(?!SIGV4|ANONYMOUS|DISABLE|BASIC)\w*ENABLED")

    def judge(place: Place) -> Iterator[Said]:
        environment = place.container.environment
        elsewhere = any(other.match(n) and switch(t) for n, t in environment.items())
        if not _is_false(place.value("GF_AUTH_ANONYMOUS_ENABLED")):
            text = quoted(place.value("GF_AUTH_ANONYMOUS_ENABLED"))
            yield place.variable("GF_AUTH_ANONYMOUS_ENABLED", f"anonymous access is {text}")
        if not elsewhere and not _is_false(place.value("GF_AUTH_DISABLE_LOGIN_FORM")):
            text = quoted(place.value("GF_AUTH_DISABLE_LOGIN_FORM"))
            yield place.variable("GF_AUTH_DISABLE_LOGIN_FORM", f"no login form: {text}")
        secret, user = "GF_SECURITY_ADMIN_PASSWORD", "GF_SECURITY_ADMIN_USER"
        named = place.has(secret) or place.has(f"{secret}__FILE") or elsewhere
        if not named:
            yield place.finding(f"secrets.{secret}", f"{secret} is not set: it is admin")
        elif secret in place.container.secrets and not place.has(user):
            yield place.finding(f"secrets.{user}", f"{user} is not set, {secret} is a secret")

    return judged(_grafana(subject), judge)


def _is_false(text: str | None) -> bool:
    return text is None or switch(text) is False


@FAMILY.rule(
    "grafana-settings",
    holds="Grafana listens on the port that its container maps, knows its address, and logs to the "
    "console.",
    symptom="The page never opens, links lead elsewhere, or nothing of Grafana's log is in "
    "CloudWatch.",
    fix="GF_SERVER_HTTP_PORT the container port, GF_SERVER_ROOT_URL a URL, GF_LOG_MODE console.",
    source=_GRAFANA,
)
def grafana_settings(subject: Subject) -> Iterator[Said]:
    """What is not set has a default that fits port 3000 and the console."""
    default = 3000

    def judge(place: Place) -> Iterator[Said]:
        text = place.value("GF_SERVER_HTTP_PORT")
        port = default if text is None else whole(text)
        if place.container.ports and port not in place.container.ports:
            mapped = place.container.ports[0]
            yield place.variable(
                "GF_SERVER_HTTP_PORT", f"it listens on {quoted(text)}, mapped is {mapped}"
            )
        url, mode = place.value("GF_SERVER_ROOT_URL"), place.value("GF_LOG_MODE")
        if url is not None and not _URL.fullmatch(url) and "%(" not in url:
            yield place.variable("GF_SERVER_ROOT_URL", f"GF_SERVER_ROOT_URL is {quoted(url)}")
        if mode is not None and "console" not in mode.split():
            yield place.variable("GF_LOG_MODE", f"GF_LOG_MODE is {quoted(mode)}")

    return judged(_grafana(subject), judge)
