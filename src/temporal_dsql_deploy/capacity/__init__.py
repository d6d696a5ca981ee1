"""Whether a cluster fits its instances and DSQL's limits: arithmetic over plain numbers."""
