provider "aws" {
  region = var.region
  # With account_id set, credentials of any other account are refused before anything is read.
  allowed_account_ids = var.account_id == null ? null : [var.account_id]

  default_tags {
    tags = merge(var.tags, { ManagedBy = "terraform" })
  }
}

data "aws_caller_identity" "current" {}
