# The connection endpoint: PostgreSQL inside the VPC, by the service name that is the cluster's own.

resource "aws_security_group" "endpoint" {
  count = var.private_link ? 1 : 0

  name        = "${var.project_name}-endpoint-dsql"
  description = "Connection endpoint of the DSQL cluster"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.project_name}-endpoint-dsql" })

  lifecycle {
    # AWS changes no description: the group, which is in use under its name, would have to be replaced.
    ignore_changes = [description]
  }
}

resource "aws_vpc_endpoint" "connection" {
  count = var.private_link ? 1 : 0

  vpc_id              = var.vpc_id
  service_name        = local._service_name
  vpc_endpoint_type   = "Interface"
  subnet_ids          = var.subnet_ids
  security_group_ids  = [aws_security_group.endpoint[0].id]
  private_dns_enabled = true # the only way to the host above, whose name the certificate bears

  tags = merge(var.tags, { Name = "${var.project_name}-dsql" })
}
