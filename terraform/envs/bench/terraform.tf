# Versions, and where the state is: a key of its own for each environment.

terraform {
  required_version = ">= 1.11.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.100.0, < 6.0.0"
    }
  }

  # bucket and region are the account's: terraform init -backend-config=backend.hcl
  backend "s3" {
    key          = "temporal-dsql/bench/terraform.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}
