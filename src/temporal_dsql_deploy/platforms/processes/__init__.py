"""Supervision of processes on this machine: detached, logged, identified, stopped."""
