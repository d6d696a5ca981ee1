"""Read the `configuration` of a plan document: which modules are called, and what they declare."""

from collections.abc import Iterator, Mapping
from typing import Any

from temporal_dsql_deploy.plan.configuration import Configuration, Declared, Module


def read_configuration(document: Mapping[str, Any]) -> Configuration | None:
    """The configuration in what `terraform show -json PLANFILE` prints; None where there is none.

    A plan of `terraform test` has none. What has another shape than Terraform gives it is left out.
    """
    root = _map(_map(document.get("configuration")).get("root_module"))
    if not root:
        return None
    return Configuration(dict(_modules(root, "", "")))


def _modules(part: Mapping[str, Any], address: str, source: str) -> Iterator[tuple[str, Module]]:
    variables = {
        name: Declared(described=_described(one), default="default" in _map(one))
        for name, one in _map(part.get("variables")).items()
    }
    outputs = {
        name: Declared(described=_described(one)) for name, one in _map(part.get("outputs")).items()
    }
    yield address, Module(source, variables, outputs)
    for name, call in _map(part.get("module_calls")).items():
        inner = f"{address}.module.{name}".lstrip(".")
        called = _map(call)
        yield from _modules(_map(called.get("module")), inner, str(called.get("source") or ""))


def _described(declared: Any) -> bool:
    return bool(str(_map(declared).get("description") or "").strip())


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
