"""Long seeded runs of faults and fuzz against real clusters: `make campaign`."""
