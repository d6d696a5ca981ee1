"""What a Terraform plan means for a cluster, in Temporal's words."""
