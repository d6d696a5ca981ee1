"""From an empty account to a running, probed cluster on ECS, in steps that look before they do."""
