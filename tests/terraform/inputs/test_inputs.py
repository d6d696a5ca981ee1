"""Everything takes what it should take, and says why where it refuses."""

import pytest

from tests.terraform.inputs import (
    cluster,
    compute,
    environments,
    network,
    service,
    stores,
    telemetry,
)
from tests.terraform.inputs.planning import wrong
from tests.terraform.inputs.table import Table

pytestmark = pytest.mark.needs("terraform")

TABLES = [
    table
    for topic in (network, compute, service, stores, telemetry, cluster, environments)
    for table in topic.TABLES
]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.directory)
def test_what_is_taken_and_what_is_refused(table: Table) -> None:
    assert wrong(table) == {}
