"""Rehearse an environment: its Terraform and its deployment against the emulated AWS."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from temporal_dsql_deploy import interrupts
from temporal_dsql_deploy.operations.deployed import How as DeployedHow
from temporal_dsql_deploy.operations.deployed import find as find_deployed
from temporal_dsql_deploy.operations.staged.steps import Chosen, Runner, StepResult
from temporal_dsql_deploy.persistence.database import Database
from temporal_dsql_deploy.platforms.protocol import Report
from temporal_dsql_deploy.rehearsal import (
    account,
    deployment,
    place,
    prepare,
    standing,
    stores,
    substitution,
)
from temporal_dsql_deploy.rehearsal.network import bridge, walls
from temporal_dsql_deploy.rehearsal.prepare import Prepared, Request
from temporal_dsql_deploy.rehearsal.result import DeniedDial, RehearsePlan, RehearseResult
from temporal_dsql_deploy.rehearsal.settings import RehearsalSettings
from temporal_dsql_deploy.rehearsal.standing import Standing
from temporal_dsql_deploy.rehearsal.stores import Stores
from temporal_dsql_deploy.terraform.run import ignore
