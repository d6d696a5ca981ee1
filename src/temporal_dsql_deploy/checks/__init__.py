"""Proofs over a plan: would a Temporal cluster form, fit, and stay within DSQL's limits?

A family is a module of its own; `registry` knows them all, `judge` runs them.
"""

from temporal_dsql_deploy.checks.judge import Judgement, judge
from temporal_dsql_deploy.checks.model import Finding, Outcome, Rule, Unjudged, Verdict
from temporal_dsql_deploy.checks.subject import Subject

__all__ = ["Finding", "Judgement", "Outcome", "Rule", "Subject", "Unjudged", "Verdict", "judge"]
