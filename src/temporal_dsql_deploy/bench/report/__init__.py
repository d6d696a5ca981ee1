"""The report of a benchmark: one HTML file with everything in it."""
