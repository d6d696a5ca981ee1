"""Everything takes what it should take, and says why where it refuses."""

import pytest

from tests.terraform.inputs import compute, network, service, stores
from tests.terraform.inputs.planning import wrong
from tests.terraform.inputs.table import Table

pytestmark = pytest.mark.needs("terraform")

TABLES = [*network.TABLES, *compute.TABLES, *service.TABLES, *stores.TABLES]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.directory)
def test_what_is_taken_and_what_is_refused(table: Table) -> None:
    assert wrong(table) == {}
