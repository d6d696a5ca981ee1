# VPC, NAT, endpoints, flow logs, security groups and their rules.

resource "aws_vpc" "this" {
  cidr_block           = "10.0.0.0/16"
  enable_dns_hostnames = true
  enable_dns_support   = true
  tags                 = { Name = "every" }
}

resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id
}

resource "aws_subnet" "private" {
  for_each = toset(local.zones)

  vpc_id            = aws_vpc.this.id
  availability_zone = "${local.region}${each.key}"
  cidr_block        = cidrsubnet(aws_vpc.this.cidr_block, 4, index(local.zones, each.key))
  tags              = { Name = "every-${each.key}" }
}

resource "aws_subnet" "public_nat" {
  vpc_id                  = aws_vpc.this.id
  availability_zone       = "${local.region}a"
  cidr_block              = cidrsubnet(aws_vpc.this.cidr_block, 8, 255)
  map_public_ip_on_launch = false
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id
}

resource "aws_eip" "nat" {
  domain = "vpc"
}

resource "aws_nat_gateway" "this" {
  allocation_id = aws_eip.nat.id
  subnet_id     = aws_subnet.public_nat.id
  depends_on    = [aws_internet_gateway.this]
}

resource "aws_route_table" "private" {
  vpc_id = aws_vpc.this.id
}

resource "aws_route" "nat" {
  route_table_id         = aws_route_table.private.id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this.id
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.this.id

  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.this.id
  }
}

resource "aws_route_table_association" "private" {
  for_each = aws_subnet.private

  route_table_id = aws_route_table.private.id
  subnet_id      = each.value.id
}

resource "aws_security_group" "endpoint" {
  name        = "every-endpoint"
  description = "Interface endpoint"
  vpc_id      = aws_vpc.this.id

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_security_group" "client" {
  name        = "every-client"
  description = "Client"
  vpc_id      = aws_vpc.this.id
}

resource "aws_vpc_security_group_ingress_rule" "group" {
  security_group_id            = aws_security_group.endpoint.id
  referenced_security_group_id = aws_security_group.client.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
  description                  = "Client to endpoint"
  tags                         = { Name = "client to endpoint" }
}

resource "aws_vpc_security_group_ingress_rule" "itself" {
  security_group_id            = aws_security_group.client.id
  referenced_security_group_id = aws_security_group.client.id
  ip_protocol                  = "tcp"
  from_port                    = 6933
  to_port                      = 6939
}

resource "aws_vpc_security_group_egress_rule" "group" {
  security_group_id            = aws_security_group.client.id
  referenced_security_group_id = aws_security_group.endpoint.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443
}

resource "aws_vpc_security_group_egress_rule" "cidr" {
  security_group_id = aws_security_group.client.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "all" {
  security_group_id = aws_security_group.client.id
  cidr_ipv4         = "10.0.0.0/16"
  ip_protocol       = "-1"
}

resource "aws_vpc_security_group_egress_rule" "prefix_list" {
  security_group_id = aws_security_group.client.id
  prefix_list_id    = aws_vpc_endpoint.gateway["s3"].prefix_list_id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

locals {
  _endpoint_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = "*" }
      Action    = "*"
      Resource  = "*"
      Condition = { StringEquals = { "aws:PrincipalAccount" = local.account, "aws:ResourceAccount" = local.account } }
    }]
  })
}

resource "aws_vpc_endpoint" "gateway" {
  for_each = toset(["s3", "dynamodb"])

  vpc_id            = aws_vpc.this.id
  service_name      = "com.amazonaws.${local.region}.${each.key}"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = [aws_route_table.private.id]
  policy            = local._endpoint_policy
  tags              = { Name = "every-${each.key}" }
}

resource "aws_vpc_endpoint" "interface" {
  for_each = { "ecr.api" = local._endpoint_policy, "ecs-telemetry" = null, "logs" = local._endpoint_policy, "aps-workspaces" = local._endpoint_policy }

  vpc_id              = aws_vpc.this.id
  service_name        = "com.amazonaws.${local.region}.${each.key}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = [for subnet in aws_subnet.private : subnet.id]
  security_group_ids  = [aws_security_group.endpoint.id]
  policy              = each.value
  tags                = { Name = "every-${each.key}" }
}

resource "aws_vpc_endpoint" "dsql" {
  vpc_id              = aws_vpc.this.id
  service_name        = aws_dsql_cluster.this.vpc_endpoint_service_name
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = [for subnet in aws_subnet.private : subnet.id]
  security_group_ids  = [aws_security_group.endpoint.id]
}

resource "aws_flow_log" "this" {
  vpc_id                   = aws_vpc.this.id
  traffic_type             = "REJECT"
  log_destination_type     = "cloud-watch-logs"
  log_destination          = aws_cloudwatch_log_group.this.arn
  iam_role_arn             = aws_iam_role.this.arn
  max_aggregation_interval = 60
}

resource "aws_lb" "this" {
  name                                                         = "every"
  load_balancer_type                                           = "network"
  internal                                                     = true
  subnets                                                      = [for subnet in aws_subnet.private : subnet.id]
  security_groups                                              = [aws_security_group.client.id]
  enable_cross_zone_load_balancing                             = true
  enable_deletion_protection                                   = false
  enforce_security_group_inbound_rules_on_private_link_traffic = "off"
}

resource "aws_lb_target_group" "this" {
  name                 = "every"
  port                 = 7233
  protocol             = "TCP"
  target_type          = "ip"
  vpc_id               = aws_vpc.this.id
  deregistration_delay = 30

  health_check {
    protocol = "TCP"
  }
}

resource "aws_lb_listener" "this" {
  for_each = { TCP = 7233, TLS = 443 }

  load_balancer_arn = aws_lb.this.arn
  port              = each.value
  protocol          = each.key
  certificate_arn   = each.key == "TLS" ? aws_acm_certificate.this.arn : null
  ssl_policy        = each.key == "TLS" ? "ELBSecurityPolicy-TLS13-1-2-2021-06" : null
  alpn_policy       = each.key == "TLS" ? "HTTP2Only" : null

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this.arn
  }
}

resource "aws_vpc_endpoint_service" "this" {
  acceptance_required        = true
  allowed_principals         = ["arn:aws:iam::210987654321:root"]
  network_load_balancer_arns = [aws_lb.this.arn]
  tags                       = { Name = "every" }
}
