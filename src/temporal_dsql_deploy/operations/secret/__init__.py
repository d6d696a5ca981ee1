"""The administrator of Grafana, a secret that is there before Terraform is applied."""
