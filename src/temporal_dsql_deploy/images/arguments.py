"""Build arguments that a user may give, and what facts say against some of them."""

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from temporal_dsql_deploy.errors import InvalidSetting

KNOWN = (
    "TEMPORAL_BASE_IMAGE",
    "DSQL_ENDPOINT",
    "DSQL_PORT",
    "DSQL_USERNAME",
    "DSQL_DATABASE",
    "SQL_PLUGIN_NAME",
    "OPENSEARCH_ENDPOINT",
)
"""Those of the runtime image."""
BASE = KNOWN[0]
_ONLY = {
    "DSQL_PORT": ("5432", "Aurora DSQL listens on no other port"),
    "DSQL_USERNAME": ("admin", "the DSQL plugin asks for a token of admin, whoever connects"),
    "DSQL_DATABASE": ("postgres", "an Aurora DSQL cluster has that one database"),
}


def baked(given: Mapping[str, str]) -> list[str]:
    """Those that make an image of one cluster alone."""
    return [name for name in ("DSQL_ENDPOINT", "OPENSEARCH_ENDPOINT") if given.get(name)]


def usable(given: Mapping[str, str]) -> dict[str, str]:
    """What is built with: an endpoint without its scheme, as the runtime wants a host.

    Raises InvalidSetting.
    """
    made = dict(given)
    try:
        endpoint = urlsplit(made.get("OPENSEARCH_ENDPOINT", ""))
    except ValueError as error:
        raise InvalidSetting(
            f"OPENSEARCH_ENDPOINT {made['OPENSEARCH_ENDPOINT']!r} is no host",
            cause=str(error),
            fix="give the host of the domain",
        ) from error
    if endpoint.scheme and endpoint.hostname:
        made["OPENSEARCH_ENDPOINT"] = endpoint.hostname
    return made


def warnings(given: Mapping[str, str]) -> Iterator[str]:
    """What speaks against them, a sentence each."""
    dsql = given.get("SQL_PLUGIN_NAME", "dsql") == "dsql"
    for name, (right, why) in _ONLY.items():
        if dsql and given.get(name, right) != right:
            yield f"{name}={given[name]} will not work with Aurora DSQL: {why}; give {right}"
    if not dsql and given["SQL_PLUGIN_NAME"] != "postgres12_pgx":
        yield (
            f"SQL_PLUGIN_NAME={given['SQL_PLUGIN_NAME']} is refused by the entrypoint, which knows "
            "dsql and postgres12_pgx"
        )
    if "://" in given.get("OPENSEARCH_ENDPOINT", ""):
        yield "OPENSEARCH_ENDPOINT is a URL, and its host alone is taken: the runtime wants a host"
    if own := baked(given):
        yield (
            f"{' and '.join(own)} make an image of one cluster alone; the task definitions say "
            "where the stores are, so that what was tested in one environment runs in the next"
        )
