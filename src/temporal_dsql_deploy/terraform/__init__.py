"""Running Terraform: find it and its providers, start it, read what it says, plan without AWS."""
