"""Fixtures of the tests of the emulated AWS."""

from tests.support.aws import aws

__all__ = ["aws"]
