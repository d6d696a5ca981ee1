"""The visibility store on OpenSearch: the index as it should be, and as it is."""
