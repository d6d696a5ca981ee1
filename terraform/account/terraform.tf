# Versions, and where the state of this configuration is.
#
# The bucket for states is made here, so the first apply has none: it keeps its state in a file beside
# this one. When the bucket stands, move the state into it, and apply from anywhere:
#
#   terraform init && terraform apply
#   terraform output -raw backend_config > backend.hcl
#   (take the comment signs off the backend block below)
#   terraform init -migrate-state -backend-config=backend.hcl

terraform {
  required_version = ">= 1.11.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0, < 6.0.0"
    }
  }

  # backend "s3" {
  #   key          = "temporal-dsql/account/terraform.tfstate"
  #   encrypt      = true
  #   use_lockfile = true
  # }
}
