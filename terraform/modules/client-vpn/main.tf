# AWS Client VPN: a way into the VPC for operators, each by a certificate or a directory of their own.

locals {
  # Private names (endpoints, services, DSQL's private host) are answered by the VPC's resolver only.
  _resolver = cidrhost(var.vpc_cidr, 2)

  _authorized_cidrs = coalesce(var.authorized_cidrs, [var.vpc_cidr])

  _reachable_cidrs = concat(
    local._authorized_cidrs,
    contains(local._authorized_cidrs, var.vpc_cidr) ? [] : ["${local._resolver}/32"],
  )
}

# Clients leave the endpoint with this group: its egress is what they may reach, and others admit them by it.
resource "aws_security_group" "this" {
  name        = "${var.project_name}-client-vpn"
  description = "Clients of the VPN"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.project_name}-client-vpn" })

  lifecycle {
    # AWS changes no description: the group, which is in use under its name, would have to be replaced.
    ignore_changes = [description]
  }
}

resource "aws_ec2_client_vpn_endpoint" "this" {
  description            = "Operators of ${var.project_name}"
  server_certificate_arn = var.server_certificate_arn
  client_cidr_block      = var.client_vpn_cidr
  vpc_id                 = var.vpc_id
  security_group_ids     = [aws_security_group.this.id]
  dns_servers            = [local._resolver]

  # Only what is meant for the VPC goes there; the rest of an operator's traffic is none of its business.
  split_tunnel       = true
  transport_protocol = "udp"
  vpn_port           = 443

  session_timeout_hours         = var.session_timeout_hours
  disconnect_on_session_timeout = true

  # The portal hands configurations to whoever can log in; here they are made for one person each.
  self_service_portal = "disabled"

  dynamic "authentication_options" {
    for_each = var.authentication_options

    content {
      type                       = authentication_options.value.type
      root_certificate_chain_arn = authentication_options.value.root_certificate_chain_arn
      active_directory_id        = authentication_options.value.active_directory_id
      saml_provider_arn          = authentication_options.value.saml_provider_arn
    }
  }

  connection_log_options {
    enabled               = true
    cloudwatch_log_group  = aws_cloudwatch_log_group.connections.name
    cloudwatch_log_stream = aws_cloudwatch_log_stream.connections.name
  }

  tags = merge(var.tags, { Name = var.project_name })
}

resource "aws_ec2_client_vpn_network_association" "this" {
  count = length(var.subnet_ids)

  client_vpn_endpoint_id = aws_ec2_client_vpn_endpoint.this.id
  subnet_id              = var.subnet_ids[count.index]
}

resource "aws_ec2_client_vpn_authorization_rule" "this" {
  for_each = toset(local._reachable_cidrs)

  client_vpn_endpoint_id = aws_ec2_client_vpn_endpoint.this.id
  target_network_cidr    = each.key
  authorize_all_groups   = true
  description            = each.key == "${local._resolver}/32" ? "Names" : "Operators"
}
