"""Temporal on Amazon Aurora DSQL: the same verbs on a laptop and on ECS."""
