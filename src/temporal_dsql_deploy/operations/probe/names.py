"""The names of the probe's checks, where what they do is not needed: without the Temporal SDK."""

BASICS = ("workflow", "timer", "signal", "query", "child-workflow", "schedule", "visibility")
"""What nearly everybody uses, the first one alone and before the others."""
