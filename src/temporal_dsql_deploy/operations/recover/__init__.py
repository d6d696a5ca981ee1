"""Recover a cluster: look, do the least that may cure it, look again, and prove it."""
