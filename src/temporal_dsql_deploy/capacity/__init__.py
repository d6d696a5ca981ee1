"""Whether a cluster fits its instances and stays within the limits of DSQL: arithmetic over plain numbers."""
