"""Temporal's versioned schema, applied so that it may be interrupted at any statement."""
