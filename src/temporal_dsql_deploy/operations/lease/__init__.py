"""The counter of connection leases: what it says, what is open, and when it is provably wrong."""
