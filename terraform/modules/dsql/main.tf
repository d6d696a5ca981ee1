# Aurora DSQL: a cluster of its own, or one that was brought; and the host by which it is reached.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  _brought = var.endpoint != null

  _identifier   = local._brought ? split(".", var.endpoint)[0] : aws_dsql_cluster.this[0].identifier
  _arn          = local._brought ? var.arn : aws_dsql_cluster.this[0].arn
  _service_name = local._brought ? var.vpc_endpoint_service_name : aws_dsql_cluster.this[0].vpc_endpoint_service_name

  # The provider knows no attribute for it.
  _public_endpoint = "${local._identifier}.dsql.${var.region}.on.aws"

  # PrivateLink has another host: DSQL's private DNS answers <id>.<last part of the service name>, such as
  # dsql-fnh4, and leaves <id>.dsql to the internet. (Aurora DSQL user guide, "Constructing the hostname"
  # of "Managing and connecting to clusters using AWS PrivateLink".)
  _private_endpoint = var.private_link ? "${local._identifier}.${reverse(split(".", local._service_name))[0]}.${var.region}.on.aws" : null
}

resource "aws_dsql_cluster" "this" {
  count = local._brought ? 0 : 1

  deletion_protection_enabled = var.deletion_protection
  kms_encryption_key          = var.kms_encryption_key
  tags                        = merge(var.tags, { Name = var.project_name })
}
