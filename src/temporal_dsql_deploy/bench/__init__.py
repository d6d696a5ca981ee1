"""The benchmark: an open model of load, run against a real cluster, and an honest report of it."""
