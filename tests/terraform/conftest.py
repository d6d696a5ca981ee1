"""Fixtures of the tests that apply."""

from tests.support.aws import aws

__all__ = ["aws"]
