"""The environment of servers against the contract of the DSQL plugin, which checks nothing."""

from collections.abc import Callable, Iterator

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.checks.contract.family import FAMILY
from temporal_dsql_deploy.checks.contract.places import (
    Place,
    judged,
    ours_with_dsql,
    own_entrypoint,
    speaks_runtime,
    with_dsql,
)
from temporal_dsql_deploy.checks.contract.values import (
    address,
    is_a,
    nearest,
    quoted,
    seconds,
    switch,
    whole,
)
from temporal_dsql_deploy.checks.family import Check
from temporal_dsql_deploy.checks.model import Said
from temporal_dsql_deploy.checks.subject import Subject
from temporal_dsql_deploy.topology.model import Variable

SOURCE = "measured with the Temporal-DSQL server at cf90c57, and read in the plugin's source"
_TOPOLOGY = topology.load()
VARIABLES = _TOPOLOGY.environment
_SENTENCES = {rule.id: rule for rule in _TOPOLOGY.rules}
_REGION_LABEL = 2
_AWS_HOST = ".on.aws"


def contract_rule(
    suffix: str, fix: str, *, seeds: tuple[str, ...] = ()
) -> Callable[[Check], Check]:
    """A rule of the contract that topology.json states, in its words."""
    rule = _SENTENCES[suffix]
    return FAMILY.rule(
        suffix,
        holds=rule.sentence,
        symptom=rule.otherwise,
        fix=fix,
        source=SOURCE,
        seeds=seeds,
    )


def _strict(subject: Subject, kind: str) -> Iterator[Said]:
    names = [name for name, variable in VARIABLES.items() if variable.type == kind]

    def judge(place: Place) -> Iterator[Said]:
        for name in names:
            text = place.value(name)
            if text is not None and not is_a(kind, text):
                variable = VARIABLES[name]
                default = variable.default if variable.computed_default is None else None
                taken = variable.computed_default or f"{default}".lower()
                yield place.variable(name, f"{name} is {quoted(text)}, so it becomes {taken}")

    return judged(with_dsql(subject), judge)


@contract_rule("int-strict", "Write the number in digits alone.")
def int_strict(subject: Subject) -> Iterator[Said]:
    """Of the plugin's variables; see `runtime-typed` for the entrypoint's."""
    return _strict(subject, "int")


@contract_rule("bool-strict", "Write true or false.")
def bool_strict(subject: Subject) -> Iterator[Said]:
    """Of the plugin's variables."""
    return _strict(subject, "bool")


@contract_rule("duration-strict", "Write a number with its unit, such as 30s or 11m.")
def duration_strict(subject: Subject) -> Iterator[Said]:
    """Of the plugin's variables."""
    return _strict(subject, "duration")


@contract_rule("token-duration-range", "Leave DSQL_TOKEN_DURATION out, or set 15s to 15m.")
def token_duration_range(subject: Subject) -> Iterator[Said]:
    """The plugin's own limit; Aurora DSQL takes a week."""

    def judge(place: Place) -> Iterator[Said]:
        text = place.value("DSQL_TOKEN_DURATION")
        found = seconds(text)
        if found is not None and not 15 <= found <= 15 * 60:
            yield place.variable("DSQL_TOKEN_DURATION", f"DSQL_TOKEN_DURATION is {quoted(text)}")

    return judged(with_dsql(subject), judge)


@contract_rule("rate-positive", "Set both to 1 at least, or leave them out.")
def rate_positive(subject: Subject) -> Iterator[Said]:
    """Burst 0 is taken as it is, not as the default."""
    return _positive(subject, "DSQL_CONNECTION_RATE_LIMIT", "DSQL_CONNECTION_BURST_LIMIT")


@contract_rule("reservoir-size-positive", "Set both to 1 at least.")
def reservoir_size_positive(subject: Subject) -> Iterator[Said]:
    """0 is taken for not set."""
    return _positive(subject, "DSQL_RESERVOIR_TARGET_READY", "DSQL_RESERVOIR_LOW_WATERMARK")


def _positive(subject: Subject, *names: str) -> Iterator[Said]:
    def judge(place: Place) -> Iterator[Said]:
        for name in names:
            number = whole(place.value(name))
            if number is not None and number < 1:
                yield place.variable(name, f"{name} is {number}")

    return judged(with_dsql(subject), judge)


@contract_rule("region-required", "Set AWS_REGION to the region of the cluster.")
def region_required(subject: Subject) -> Iterator[Said]:
    """The plugin takes REGION too, the client of the leases does not."""

    def judge(place: Place) -> Iterator[Said]:
        if not place.has("AWS_REGION") or place.value("AWS_REGION") == "":
            yield place.variable("AWS_REGION", f"AWS_REGION is {quoted(place.value('AWS_REGION'))}")

    return judged(with_dsql(subject), judge)


@contract_rule("region-one", "Leave REGION out, or give it the value of AWS_REGION.")
def region_one(subject: Subject) -> Iterator[Said]:
    """REGION is read first when tokens are signed."""

    def judge(place: Place) -> Iterator[Said]:
        first, region = place.value("REGION"), place.value("AWS_REGION")
        if first and region and first != region:
            yield place.variable("REGION", f"REGION is `{first}`, AWS_REGION is `{region}`")

    return judged(with_dsql(subject), judge)


@contract_rule("region-of-host", "Set AWS_REGION to the third label of the cluster's host name.")
def region_of_host(subject: Subject) -> Iterator[Said]:
    """Only hosts of AWS name their region."""

    def judge(place: Place) -> Iterator[Said]:
        region = place.value("AWS_REGION")
        for name in ("CLUSTER_ENDPOINT", "TEMPORAL_SQL_HOST"):
            labels = (place.value(name) or "").removesuffix(_AWS_HOST).split(".")
            if region and len(labels) == _REGION_LABEL + 1 and labels[_REGION_LABEL] != region:
                yield place.variable(
                    "AWS_REGION", f"AWS_REGION is `{region}`, {name} is {quoted(place.value(name))}"
                )
                return

    return judged(with_dsql(subject), judge)


@contract_rule(
    "endpoint-is-host", "Set CLUSTER_ENDPOINT to the host of the data store, without a port."
)
def endpoint_is_host(subject: Subject) -> Iterator[Said]:
    """Tokens are signed for exactly this text."""

    def judge(place: Place) -> Iterator[Said]:
        endpoint, host = place.value("CLUSTER_ENDPOINT"), place.value("TEMPORAL_SQL_HOST")
        if not endpoint:
            return
        if not is_a("host", endpoint):
            what = "an IP address" if address(endpoint) else "no host name alone"
            yield place.variable("CLUSTER_ENDPOINT", f"CLUSTER_ENDPOINT is `{endpoint}`: {what}")
        elif host is not None and host != endpoint:
            yield place.variable(
                "CLUSTER_ENDPOINT",
                f"CLUSTER_ENDPOINT is `{endpoint}`, TEMPORAL_SQL_HOST is {quoted(host)}",
            )

    return judged(with_dsql(subject), judge)


@contract_rule(
    "limiter-complete", "Set DSQL_DISTRIBUTED_RATE_LIMITER_TABLE to the name of the table."
)
def limiter_complete(subject: Subject) -> Iterator[Said]:
    """The table itself is the budget's."""
    return _complete(
        subject, "DSQL_DISTRIBUTED_RATE_LIMITER_ENABLED", ("DSQL_DISTRIBUTED_RATE_LIMITER_TABLE",)
    )


@contract_rule("lease-complete", "Set the variables that the lease needs, or leave the lease off.")
def lease_complete(subject: Subject) -> Iterator[Said]:
    """The table itself is the budget's."""
    variable = VARIABLES["DSQL_DISTRIBUTED_CONN_LEASE_ENABLED"]
    return _complete(subject, variable.name, variable.requires)


def _complete(subject: Subject, name: str, needed: tuple[str, ...]) -> Iterator[Said]:
    def judge(place: Place) -> Iterator[Said]:
        if switch(place.value(name)):
            for missing in (each for each in needed if not effective(place, VARIABLES[each])):
                yield place.variable(
                    missing, f"{name} is true, {missing} is {quoted(place.value(missing))}"
                )

    return judged(with_dsql(subject), judge)


def effective(place: Place, variable: Variable) -> bool:
    """Whether a variable has an effect: it has a value, and as a bool is true."""
    text = place.value(variable.name)
    if variable.type == "bool":
        found = switch(text)
        return bool(variable.default) if found is None else found
    return bool(text) or variable.name in place.container.secrets


@contract_rule("max-conns-explicit", "Set TEMPORAL_SQL_MAX_CONNS to what the budget allows.")
def max_conns_explicit(subject: Subject) -> Iterator[Said]:
    """By the entrypoint's variable; in a configuration file it is judged there."""

    def judge(place: Place) -> Iterator[Said]:
        name = "TEMPORAL_SQL_MAX_CONNS"
        if not speaks_runtime(place.container):
            yield place.unjudged("maxConns stands in a configuration file that is not in the plan")
        elif name not in place.container.secrets and (whole(place.value(name)) or 0) < 1:
            yield place.variable(name, f"{name} is {quoted(place.value(name))}")

    return judged(with_dsql(subject), judge)


@FAMILY.rule(
    "range",
    holds="A number of the plugin's environment lies where it does what it says.",
    symptom="The cluster refuses what goes beyond it: `Unable to accept connection, rate exceeded. "
    "(SQLSTATE 53400)`; below, the value is replaced by the default, without a word.",
    fix="Set it within the range.",
    source=SOURCE + "; Aurora DSQL user guide, quotas",
)
def in_range(subject: Subject) -> Iterator[Said]:
    """Beside those ranges that have rules of their own."""
    told = ("DSQL_TOKEN_DURATION", "DSQL_RESERVOIR_TARGET_READY", "DSQL_RESERVOIR_LOW_WATERMARK")

    def judge(place: Place) -> Iterator[Said]:
        for name, variable in VARIABLES.items():
            text = place.value(name)
            if name in told or text is None or variable.type not in {"int", "duration"}:
                continue
            read = whole if variable.type == "int" else seconds
            found = read(text)
            lowest, highest = (read(f"{x}") for x in (variable.minimum, variable.maximum))
            if name in {"DSQL_CONNECTION_RATE_LIMIT", "DSQL_CONNECTION_BURST_LIMIT"}:
                lowest = None
            if found is None:
                continue
            if lowest is not None and found < lowest:
                yield place.variable(name, f"{name} is {text}, at least {variable.minimum}")
            if highest is not None and found > highest:
                yield place.variable(name, f"{name} is {text}, at most {variable.maximum}")

    return judged(with_dsql(subject), judge)


@FAMILY.rule(
    "known-names",
    holds="Every DSQL_*, TEMPORAL_SQL_* and TEMPORAL_ELASTICSEARCH_* variable is one that the "
    "plugin or the entrypoint reads.",
    symptom="A misspelt name is ignored without a word, and the default holds: with "
    "DSQL_RESERVIOR_ENABLED the server runs in legacy mode.",
    fix="Correct the name, or leave the variable out.",
    source=SOURCE,
)
def known_names(subject: Subject) -> Iterator[Said]:
    """Names in secrets count too."""
    prefixes: tuple[str, ...] = ("DSQL_", "TEMPORAL_SQL_", "TEMPORAL_ELASTICSEARCH_")
    if not own_entrypoint(subject):
        prefixes = ("DSQL_",)  # The others are read, or not, by somebody else's entrypoint.
    known = {**VARIABLES, **_TOPOLOGY.runtime}

    def judge(place: Place) -> Iterator[Said]:
        for name in (*place.container.environment, *place.container.secrets):
            if name.startswith(prefixes) and name not in known:
                near = nearest(name, known)
                meant = f"; {near} is known" if near else ""
                yield place.variable(
                    name,
                    f"nothing reads {name}{meant}",
                    fix=f"Write {near}, or leave it out." if near else "",
                )

    return judged(with_dsql(subject), judge)


@FAMILY.rule(
    "idle-conns",
    holds="maxIdleConns equals maxConns.",
    symptom="Connections above it are closed as soon as they are free and opened again, each "
    "against the 100 per second that the cluster accepts.",
    fix="Set TEMPORAL_SQL_MAX_IDLE_CONNS to TEMPORAL_SQL_MAX_CONNS.",
    source="Temporal-DSQL plugin source at cf90c57; Aurora DSQL user guide, quotas",
)
def idle_conns(subject: Subject) -> Iterator[Said]:
    """By the entrypoint's variables."""
    name, other = "TEMPORAL_SQL_MAX_IDLE_CONNS", "TEMPORAL_SQL_MAX_CONNS"

    def judge(place: Place) -> Iterator[Said]:
        idle, most = whole(place.value(name)), whole(place.value(other))
        if idle is not None and most is not None and idle != most:
            yield place.variable(name, f"{name} is {idle}, {other} is {most}")

    return judged(ours_with_dsql(subject), judge)


@FAMILY.rule(
    "conn-lifetime",
    holds="maxConnLifetime is positive and stays below the 60 minutes of a DSQL session.",
    symptom="DSQL closes every session after 60 minutes, so the server meets dead connections: "
    "`driver: bad connection`, and a forced reconnect for each.",
    fix="Set TEMPORAL_SQL_MAX_CONN_LIFETIME to 50m or less.",
    source="Aurora DSQL user guide, quotas: connection duration",
)
def conn_lifetime(subject: Subject) -> Iterator[Said]:
    """Reservoir mode ignores it, until somebody switches that off."""
    name = "TEMPORAL_SQL_MAX_CONN_LIFETIME"

    def judge(place: Place) -> Iterator[Said]:
        found = seconds(place.value(name))
        if found is not None and not 0 < found <= 55 * 60:
            yield place.variable(name, f"{name} is {quoted(place.value(name))}")

    return judged(ours_with_dsql(subject), judge)
