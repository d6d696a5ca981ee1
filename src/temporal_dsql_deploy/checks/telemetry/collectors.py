"""What a collector does, by its configuration, whichever kind it is of."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from temporal_dsql_deploy.checks.telemetry import alloy_text, yaml_text
from temporal_dsql_deploy.checks.telemetry.alloy_text import Block
from temporal_dsql_deploy.checks.telemetry.yaml_text import NotRead

_FILE_RECEIVERS = ("filelog", "file_log")
_ADDRESS = re.compile(r'"?__address__"?\s*=\s*"([^"]+)"')
_PATH = re.compile(r'"?__path__"?\s*=\s*"([^"]+)"')
_REFERENCE = re.compile(r"([a-z_]+(?:[.][a-z_]+)+)[.](\w+)[.](?:receiver|targets|input)")


@dataclass(frozen=True)
class Write:
    """Where metrics are written to."""

    url: str
    region: str | None
    """For which requests are signed with SigV4; None where they are not signed."""


@dataclass(frozen=True)
class Finder:
    """A search for tasks by asking ECS."""

    services: str
    containers: str
    ports: tuple[str, ...]
    cluster: str
    region: str

    def finds(self, service: str, container: str, port: int) -> bool:
        """Whether it finds a container of a service."""
        named = re.search(self.services, service) if self.services else True
        inside = re.search(self.containers, container) if self.containers else True
        return bool(named and inside) and str(port) in self.ports


@dataclass(frozen=True)
class Does:
    """What a configuration makes a collector do."""

    targets: tuple[str, ...] = ()
    """Hosts with ports that it scrapes."""
    finders: tuple[Finder, ...] = ()
    writes: tuple[Write, ...] = ()
    """Where what it scrapes goes."""
    files: tuple[str, ...] = ()
    """Log files that it reads."""
    pushes: tuple[str, ...] = ()
    """Where what it reads goes."""
    told_apart: bool = False
    """Whether series of one task differ from those of another."""
    limit_mib: float | None = None
    broken: tuple[str, ...] = field(default=())
    """Names that are used and that nothing defines."""


def read(text: str) -> Does | None:
    """What a configuration does; None where it is none of a collector. Raises NotRead."""
    if re.search(r"^\s*prometheus[.]scrape\b", text, re.MULTILINE):
        return _alloy(alloy_text.read(text))
    if not re.search(r"^receivers:", text, re.MULTILINE):
        return None
    try:
        # A dollar sign is written twice where the collector would expand it.
        document = yaml_text.read(text.replace("$$", "$"))
    except RecursionError as error:
        raise NotRead("too deep") from error
    return _otel(document)


def _otel(document: Any) -> Does:
    if not isinstance(document, dict):
        raise NotRead("no mapping")
    service = _map(document.get("service"))
    pipelines = _map(service.get("pipelines"))
    broken = [*_undefined(document, service, pipelines)]
    targets: list[str] = []
    finders: list[Finder] = []
    writes: list[Write] = []
    files: list[str] = []
    pushes: list[str] = []
    apart = False
    for name, pipeline in pipelines.items():
        receivers = [
            (one, _map(_map(document.get("receivers")).get(one)))
            for one in _texts(_map(pipeline).get("receivers"))
        ]
        exporters = [
            _map(_map(document.get("exporters")).get(one))
            for one in _texts(_map(pipeline).get("exporters"))
        ]
        kind = str(name).split("/")[0]
        if kind == "metrics":
            for _, receiver in receivers:
                found, looked = _scraped(receiver, document)
                targets += found
                finders += looked
            writes += [_write(one, document, service) for one in exporters if one.get("endpoint")]
            processors = " ".join(_texts(_map(pipeline).get("processors")))
            apart = apart or "resource" in processors or "transform" in processors
        if kind == "logs":
            files += [
                path
                for one, receiver in receivers
                if one.split("/")[0] in _FILE_RECEIVERS
                for path in _texts(receiver.get("include"))
            ]
            pushes += [str(one["endpoint"]) for one in exporters if one.get("endpoint")]
    limit = _map(_map(document.get("processors")).get("memory_limiter")).get("limit_mib")
    used = any("memory_limiter" in _texts(_map(p).get("processors")) for p in pipelines.values())
    return Does(
        targets=tuple(targets),
        finders=tuple(finders),
        writes=tuple(writes),
        files=tuple(files),
        pushes=tuple(pushes),
        told_apart=apart,
        limit_mib=float(str(limit)) if used and str(limit).isdigit() else None,
        broken=tuple(broken),
    )


def _undefined(
    document: Mapping[str, Any], service: Mapping[str, Any], pipelines: Mapping[str, Any]
) -> Iterator[str]:
    for kind in ("receivers", "processors", "exporters"):
        there = {*_map(document.get(kind)), *_map(document.get("connectors"))}
        for name, pipeline in pipelines.items():
            said = _texts(_map(pipeline).get(kind))
            yield from (f"{kind[:-1]} {one} of {name}" for one in said if one not in there)
            if not said and kind != "processors":
                yield f"{kind} of {name}"
    there = set(_map(document.get("extensions")))
    yield from (f"extension {e}" for e in _texts(service.get("extensions")) if e not in there)


def _scraped(
    receiver: Mapping[str, Any], document: Mapping[str, Any]
) -> tuple[list[str], list[Finder]]:
    """Static targets of a Prometheus receiver, and searches whose results it reads."""
    targets: list[str] = []
    finders: list[Finder] = []
    running = _texts(_map(document.get("service")).get("extensions"))
    for job in _maps(_map(receiver.get("config")).get("scrape_configs")):
        for static in _maps(job.get("static_configs")):
            targets += _texts(static.get("targets"))
        read = [f for c in _maps(job.get("file_sd_configs")) for f in _texts(c.get("files"))]
        for name, extension in _map(document.get("extensions")).items():
            wanted = _map(extension)
            if (
                name.startswith("ecs_observer")
                and name in running
                and (wanted.get("result_file") in read)
            ):
                finders += [_finder(wanted, one) for one in _maps(wanted.get("services"))]
    return targets, finders


def _finder(observer: Mapping[str, Any], service: Mapping[str, Any]) -> Finder:
    return Finder(
        services=str(service.get("name_pattern") or ""),
        containers=str(service.get("container_name_pattern") or ""),
        ports=tuple(_texts(service.get("metrics_ports"))),
        cluster=str(observer.get("cluster_name") or ""),
        region=str(observer.get("cluster_region") or ""),
    )


def _write(
    exporter: Mapping[str, Any], document: Mapping[str, Any], service: Mapping[str, Any]
) -> Write:
    name = str(_map(exporter.get("auth")).get("authenticator") or "")
    extension = _map(_map(document.get("extensions")).get(name))
    on = name in _texts(service.get("extensions")) and name.startswith("sigv4auth")
    signed = on and str(extension.get("service") or "aps") == "aps"
    region = extension.get("region")
    return Write(str(exporter["endpoint"]), str(region) if signed and region else None)


def _alloy(root: Block) -> Does:
    there = {(block.name, block.label): block for block in root.blocks}
    broken = [
        f"{name}.{label} of {block.name}"
        for block in root.blocks
        for value in block.attributes.values()
        for name, label in _REFERENCE.findall(value)
        if (name, label) not in there
    ]
    targets: list[str] = []
    writes: list[Write] = []
    apart = True
    for block in root.all("prometheus.scrape"):
        ends = list(_reached(block, there, "prometheus.remote_write"))
        if ends:
            targets += _ADDRESS.findall(block.attributes.get("targets", ""))
        apart = apart and '"instance"' in block.attributes.get("targets", "")
        for end in ends:
            for endpoint in end.all("endpoint"):
                region = next((one.text("region") for one in endpoint.all("sigv4")), None)
                writes.append(Write(endpoint.text("url") or "", region))
    files: list[str] = []
    pushes: list[str] = []
    for block in root.all("loki.source.file"):
        for name, label in _REFERENCE.findall(block.attributes.get("targets", "")):
            source = there.get((name, label))
            files += _PATH.findall(source.attributes.get("path_targets", "") if source else "")
        for end in _reached(block, there, "loki.write"):
            pushes += [one.text("url") or "" for one in end.all("endpoint")]
    return Does(
        targets=tuple(targets),
        writes=tuple(writes),
        files=tuple(files),
        pushes=tuple(pushes),
        told_apart=apart,
        broken=tuple(broken),
    )


def _reached(
    block: Block, there: Mapping[tuple[str, str], Block], kind: str, depth: int = 0
) -> Iterator[Block]:
    """Components of a kind to which a block forwards, over others too."""
    for key in _REFERENCE.findall(block.attributes.get("forward_to", "")):
        found = there.get(key)
        if found is None or depth > len(there):
            continue
        if found.name == kind:
            yield found
        else:
            yield from _reached(found, there, kind, depth + 1)


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _maps(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _texts(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []
