"""The findings that `membership doctor` knows, each with what it means and what to do."""

from dataclasses import dataclass

_MONITOR = "temporalio/temporal common/membership/ringpop/monitor.go"
_MEASURED = "measured with temporal-server 1.32.2"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of finding."""

    code: str
    text: str
    """What was found, a sentence."""
    symptom: str
    """What it does to the cluster."""
    fix: str
    source: str
    problem: bool = True
    """Whether it harms; otherwise it is worth knowing."""


NO_DATABASE = Kind(
    "membership-no-database",
    "The rows of cluster_membership could not be read.",
    "Roles that run stay in the ring and serve nothing that needs the database; a role that starts "
    "now ends at once. Of the findings, only those of the ring itself are looked for.",
    "See whether the database runs and whether this machine reaches it.",
    f"{_MEASURED}: gRPC health stays SERVING for the whole outage",
)
EMPTY_RING = Kind(
    "membership-empty-ring",
    "Nobody is in the ring.",
    "The frontend says `Frontend is not healthy yet`, or nothing answers at all.",
    "Where processes run and none joins, open the membership ports from every role to every role; "
    "otherwise start them: dsql-deploy up ENV",
    f"{_MONITOR}; {_MEASURED}",
)
ROLE_MISSING = Kind(
    "membership-role-missing",
    "No member of the ring has this role.",
    "Without history or matching workflows are accepted and hang, or calls fail with `Not enough "
    "hosts to serve the request`; without worker schedules and batch jobs stand still; health "
    "checks of the others stay SERVING.",
    "Its log says why it ended. To start it: dsql-deploy up ENV",
    f"{_MEASURED}: no history, no matching, worker cut off",
)
NOT_JOINED = Kind(
    "membership-not-joined",
    "A process runs and is not in the ring.",
    "It is starting, or cannot reach the members that it dials: it tries for up to a minute and "
    "ends then.",
    "Look again after a minute. If it stays so, open the membership ports from every role to every "
    "role, and see its log for `unable to bootstrap ringpop`.",
    f"{_MONITOR}; {_MEASURED}",
)
SPLIT_RING = Kind(
    "membership-split-ring",
    "Members do not hold one another reachable.",
    "Each part takes shards and task queues as if it were alone; who holds another for faulty "
    "sends it no requests.",
    "Look again after ten seconds: a member that has just died or started is not known to all. If "
    "it stays so, open the membership ports between the parts and restart the smaller one.",
    f"temporalio/ringpop-go swim/; {_MEASURED}: a dead member leaves the ring after 5 to 9 s",
)
OTHER_ADDRESS = Kind(
    "membership-other-address",
    "A process tells the ring another address than the one it was reached at.",
    "The others dial an address that is not its own, or not reachable: it looks like a member, and "
    "requests to it time out.",
    "Correct TEMPORAL_BROADCAST_ADDRESS, or leave it out, and restart the role.",
    f"{_MEASURED}: a wrong literal address is accepted without an error",
)
LOOPBACK_ADDRESS = Kind(
    "membership-loopback-address",
    "A process broadcasts a loopback address, and others do not.",
    "Whoever dials it reaches itself or nobody; joins are delayed by up to a minute.",
    "Correct its broadcast address and restart it: the runtime refuses a loopback address where "
    "the role listens on others.",
    "docs/guides/runtime.md, broadcast address",
)
UNROUTABLE_ADDRESS = Kind(
    "membership-unroutable-address",
    "A process broadcasts an address that no other machine can dial.",
    "The others time out on it; joins are delayed by up to a minute.",
    "Correct its broadcast address and restart it.",
    "RFC 6890: unspecified, link-local and multicast addresses",
)
SILENT_ROW = Kind(
    "membership-silent-row",
    "A row has a fresh heartbeat, and nothing listens at its address.",
    "Its owner has just died, or broadcasts an address that is not reached from here. Whoever "
    "starts while the row is fresh dials it: one or two roles then take 26 to 60 s to serve.",
    "Wait 20 s before roles are started. If the heartbeat stays fresh, its owner lives: correct "
    "its broadcast address or open its membership port.",
    f"{_MONITOR}; {_MEASURED}",
)
HEARTBEAT_FROZEN = Kind(
    "membership-heartbeat-frozen",
    "A member of the ring writes no heartbeat.",
    "Whoever starts now does not find it by its row. Its connections to the database are broken, "
    "or its clock is behind.",
    "See its log for `Membership upsert failed`, and its clock; restart it if the database is "
    "well.",
    f"{_MONITOR}: a heartbeat every 10 to 15 s, rows older than 20 s are not read",
)
NO_SHARDS = Kind(
    "membership-no-shards",
    "A history is in the ring and owns no shard.",
    "It never becomes SERVING, so a deployment that waits for its health fails; everything else "
    "works.",
    "Run fewer histories. The number of shards cannot be changed, so choose clearly more shards "
    "than instances when the cluster is made.",
    f"{_MEASURED}: two histories, four shards",
)
CLOCK_AHEAD = Kind(
    "membership-clock-ahead",
    "A heartbeat is later than the database's clock.",
    "The row stays fresh after its owner has died, and aligned joins and leaves come at the wrong "
    "time.",
    "Synchronise the clock of that machine.",
    f"{_MONITOR}: 5 s of skew are allowed for",
)
STALE_ROW = Kind(
    "membership-stale-row",
    "Rows of processes that are gone.",
    "None: nobody reads a row that is older than 20 s, and it is deleted when it has expired, 48 h "
    "after its last heartbeat.",
    "Nothing has to be done. To have them gone: dsql-deploy membership clean ENV",
    f"{_MONITOR}; {_MEASURED}",
    problem=False,
)
ALL = (
    NO_DATABASE,
    EMPTY_RING,
    ROLE_MISSING,
    NOT_JOINED,
    SPLIT_RING,
    OTHER_ADDRESS,
    LOOPBACK_ADDRESS,
    UNROUTABLE_ADDRESS,
    SILENT_ROW,
    HEARTBEAT_FROZEN,
    NO_SHARDS,
    CLOCK_AHEAD,
    STALE_ROW,
)


def by_code() -> dict[str, Kind]:
    """All kinds, by their codes."""
    return {kind.code: kind for kind in ALL}
