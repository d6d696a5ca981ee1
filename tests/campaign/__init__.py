"""Long runs: faults on real clusters, whole environments in emulated AWS, fuzz: `make campaign`."""
