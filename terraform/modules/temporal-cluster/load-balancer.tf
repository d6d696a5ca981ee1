# An internal Network Load Balancer before the frontend, and PrivateLink for other VPCs and accounts.

locals {
  _load_balancer_name = "${var.project_name}-frontend"
}

resource "aws_security_group" "load_balancer" {
  count = var.frontend_load_balancer.enabled ? 1 : 0

  name        = "${local._load_balancer_name}-lb"
  description = "Load balancer before the frontend of ${var.project_name}"
  vpc_id      = local.vpc.vpc_id
  tags        = merge(var.tags, { Name = "${local._load_balancer_name}-lb" })

  lifecycle {
    # AWS changes no description: the group, which is in use under its name, would have to be replaced.
    ignore_changes = [description]
  }
}

resource "aws_lb" "frontend" {
  count = var.frontend_load_balancer.enabled ? 1 : 0

  name                             = local._load_balancer_name
  load_balancer_type               = "network"
  internal                         = true
  subnets                          = local.vpc.private_subnet_ids
  security_groups                  = aws_security_group.load_balancer[*].id
  enable_cross_zone_load_balancing = true
  enable_deletion_protection       = var.deletion_protection
  # Who comes by PrivateLink is let in by allowed_principals; the addresses are the endpoint's own.
  enforce_security_group_inbound_rules_on_private_link_traffic = "off"
  tags                                                         = var.tags

  dynamic "access_logs" {
    for_each = var.frontend_load_balancer.access_logs_bucket[*]

    content {
      enabled = true
      bucket  = access_logs.value
      prefix  = local._load_balancer_name
    }
  }
}

resource "aws_lb_target_group" "frontend" {
  count = var.frontend_load_balancer.enabled ? 1 : 0

  name                 = local._load_balancer_name
  port                 = module.topology.ports.frontend.grpc
  protocol             = "TCP"
  target_type          = "ip"
  vpc_id               = local.vpc.vpc_id
  deregistration_delay = module.topology.stop_timeout_seconds
  tags                 = var.tags

  health_check {
    protocol = "TCP"
  }
}

resource "aws_lb_listener" "frontend" {
  count = var.frontend_load_balancer.enabled ? 1 : 0

  load_balancer_arn = aws_lb.frontend[0].arn
  port              = module.topology.ports.frontend.grpc
  protocol          = var.frontend_load_balancer.certificate_arn == null ? "TCP" : "TLS"
  certificate_arn   = var.frontend_load_balancer.certificate_arn
  ssl_policy        = var.frontend_load_balancer.certificate_arn == null ? null : "ELBSecurityPolicy-TLS13-1-2-2021-06"
  # gRPC clients insist on HTTP/2 in the TLS handshake.
  alpn_policy = var.frontend_load_balancer.certificate_arn == null ? null : "HTTP2Only"
  tags        = var.tags

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.frontend[0].arn
  }
}

resource "aws_vpc_endpoint_service" "frontend" {
  count = length(var.frontend_load_balancer.allowed_principals) > 0 ? 1 : 0

  acceptance_required        = true
  allowed_principals         = var.frontend_load_balancer.allowed_principals
  network_load_balancer_arns = aws_lb.frontend[*].arn
  tags                       = merge(var.tags, { Name = local._load_balancer_name })

  lifecycle {
    precondition {
      condition     = var.frontend_load_balancer.enabled
      error_message = "frontend_load_balancer.allowed_principals needs frontend_load_balancer.enabled."
    }
  }
}
