"""Temporal on Amazon ECS."""
