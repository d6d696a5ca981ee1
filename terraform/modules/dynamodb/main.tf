# The two tables by which the DSQL plugin counts what the whole cluster does: connects, and connections.

locals {
  # The plugin knows `pk` and `ttl_epoch` only, and names no index.
  _tables = merge(
    var.rate_limiter_enabled ? { rate_limiter = "${var.project_name}-dsql-rate-limiter" } : {},
    var.conn_lease_enabled ? { conn_lease = "${var.project_name}-dsql-conn-lease" } : {},
  )
}

resource "aws_dynamodb_table" "this" {
  for_each = local._tables

  name                        = each.value
  billing_mode                = "PAY_PER_REQUEST" # one write for each connect: a few a second at most
  hash_key                    = "pk"
  deletion_protection_enabled = var.deletion_protection

  attribute {
    name = "pk"
    type = "S"
  }

  ttl {
    attribute_name = "ttl_epoch"
    enabled        = true
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.kms_key_arn
  }

  tags = merge(var.tags, { Name = each.value })
}
