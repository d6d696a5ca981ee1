"""The verbs of `visibility`: the index in OpenSearch looked at, made, mended."""
