"""Where a Temporal cluster runs: every platform speaks the protocol in `protocol.py`."""
