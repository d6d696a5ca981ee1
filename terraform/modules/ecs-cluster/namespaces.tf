# Names of services: one namespace for Service Connect, one of DNS for what Service Connect cannot serve.

resource "aws_service_discovery_http_namespace" "this" {
  name        = var.project_name
  description = "Service Connect of ${var.project_name}"
  tags        = merge(var.tags, { Name = var.project_name })

  lifecycle {
    # AWS changes no description: the namespace, with its services in it, would be replaced.
    ignore_changes = [description]
  }
}

# Service Connect names exist only in tasks that a service started, and only in those deployed after the
# name: one-off tasks and Loki's senders ask DNS.
resource "aws_service_discovery_private_dns_namespace" "this" {
  name        = "${var.project_name}.internal"
  description = "DNS names of services of ${var.project_name}"
  vpc         = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.project_name}.internal" })
}
