"""What plays the data stores: the few variables that differ, and that a server takes them."""

from temporal_dsql_deploy import topology
from temporal_dsql_deploy.rehearsal import substitution
from temporal_dsql_deploy.rehearsal.substitution import Stores
from tests.unit.checks.contract.good import SERVER
from tests.unit.runtime.good import refused, rendered

STORES = Stores("temporal", "temporal", "sesame", "search.eu-west-1.es.amazonaws.com")
CHANGED = substitution.environment("ours", STORES)


def with_changes(role: str) -> dict[str, str]:
    given: dict[str, str | None] = {**SERVER, "TEMPORAL_SERVICES": role}
    given |= CHANGED[f"ours-temporal-{role}"]
    return {name: value for name, value in given.items() if value is not None}


def test_every_role_takes_its_variables() -> None:
    for role in topology.load().roles:
        assert refused(with_changes(role)) == {}


def test_a_role_is_led_to_what_plays_the_stores() -> None:
    stores = rendered(with_changes("history")).config["persistence"]["datastores"]
    assert stores["default"]["sql"]["pluginName"] == "postgres12_pgx"
    assert stores["default"]["sql"]["connectAddr"] == f"{substitution.DATABASE}:5432"
    assert stores["visibility"]["elasticsearch"]["url"]["scheme"] == "http"


def test_what_does_not_stand_for_a_store_stays() -> None:
    variables = CHANGED["ours-temporal-history"]
    assert all(
        name.startswith(("TEMPORAL_SQL_", "TEMPORAL_ELASTICSEARCH_", "CLUSTER_ENDPOINT"))
        for name in variables
    )
    assert "TEMPORAL_ELASTICSEARCH_HOST" not in variables
    assert "TEMPORAL_HISTORY_SHARDS" not in variables


def test_each_change_is_said_and_no_password() -> None:
    said = "\n".join(substitution.words(CHANGED))
    for family, variables in CHANGED.items():
        assert family in said
        assert all(name in said for name in variables)
    assert "sesame" not in said
    assert "sesame" not in repr(STORES)
