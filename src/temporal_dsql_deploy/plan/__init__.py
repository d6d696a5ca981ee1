"""A Terraform plan or state as typed data: pure, and without Terraform.

`read` is for what `terraform show -json` prints of a plan or state; `plan_of_test` for a message of
`terraform test -json -verbose`.
"""

from temporal_dsql_deploy.plan.configuration_reader import read_configuration
from temporal_dsql_deploy.plan.containers import Container, containers
from temporal_dsql_deploy.plan.model import Action, Change, Output, Plan, Resource, State
from temporal_dsql_deploy.plan.reader import managed, plan_of_test, read, read_plan, read_state
from temporal_dsql_deploy.plan.values import UNKNOWN, Sensitive, Unknown

__all__ = [
    "UNKNOWN",
    "Action",
    "Change",
    "Container",
    "Output",
    "Plan",
    "Resource",
    "Sensitive",
    "State",
    "Unknown",
    "containers",
    "managed",
    "plan_of_test",
    "read",
    "read_configuration",
    "read_plan",
    "read_state",
]
