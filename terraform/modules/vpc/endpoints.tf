# Interface endpoints: the AWS APIs that tasks and instances call, inside the VPC.

locals {
  # Whether the service takes an endpoint policy, and of which width. A policy on a service that takes
  # none fails at creation, so `null` stands wherever no source says that it does.
  # Source: aws-samples/data-perimeter-policy-examples, service_specific_guidance/<service>.md and
  # vpc_endpoint_policies/; for ecs the ECS developer guide, "Creating a VPC endpoint policy".
  # - `own`: principals of this account, resources of this account and of trusted_account_ids.
  # - `principals`: principals only. The agent's internal actions (Submit*) have no resource, and are on
  #   no list of those for which AWS fills in aws:ResourceAccount; ECS has no resource of others anyway.
  #   The same for ec2 (EC2 user guide, "Create an endpoint policy"), which only describes here.
  # - aps-workspaces: that source says it supports none.
  # - ecs-agent, ecs-telemetry, ssmmessages, ec2messages: no source found. They carry signed streams of
  #   ECS and Systems Manager.
  _endpoint_services = {
    "aps-workspaces" = { policy = null }
    "ec2"            = { policy = "principals" }
    "ec2messages"    = { policy = null }
    "ecr.api"        = { policy = "own" }
    "ecr.dkr"        = { policy = "own" }
    "ecs"            = { policy = "principals" }
    "ecs-agent"      = { policy = null }
    "ecs-telemetry"  = { policy = null }
    "logs"           = { policy = "own" }
    "monitoring"     = { policy = "own" }
    "secretsmanager" = { policy = "own" }
    "ssm"            = { policy = "own" }
    "ssmmessages"    = { policy = null }
    "sts"            = { policy = "own" }
  }

  # Without a way out every API needs its endpoint. With one, these six stay inside all the same: they
  # carry images, logs, parameters, secrets and shells.
  _endpoint_presets = {
    private  = ["ecr.api", "ecr.dkr", "logs", "ssm", "ssmmessages", "secretsmanager"]
    isolated = ["ecs", "ecs-agent", "ecs-telemetry", "ecr.api", "ecr.dkr", "logs", "ssm", "ssmmessages", "secretsmanager", "aps-workspaces", "monitoring", "sts"]
  }

  _interface_endpoints = distinct(concat(
    coalesce(var.interface_endpoints, local._endpoint_presets[var.nat == "none" ? "isolated" : "private"]),
    var.ec2messages_endpoint ? ["ec2messages"] : [],
  ))

  _account_id       = data.aws_caller_identity.current.account_id
  _trusted_accounts = concat([local._account_id], var.trusted_account_ids)

  _own_principals = { "aws:PrincipalAccount" = local._account_id }
  _own_resources  = { "aws:ResourceAccount" = local._trusted_accounts }

  _allow_own = {
    Sid       = "OwnPrincipalsAndResources"
    Effect    = "Allow"
    Principal = "*"
    Action    = "*"
    Resource  = "*"
    Condition = { StringEquals = merge(local._own_principals, local._own_resources) }
  }

  _endpoint_statements = {
    own = [local._allow_own]
    principals = [{
      Sid       = "OwnPrincipals"
      Effect    = "Allow"
      Principal = "*"
      Action    = "*"
      Resource  = "*"
      Condition = { StringEquals = local._own_principals }
    }]
  }

  # Documents and public parameters of Systems Manager belong to AWS.
  _further_statements = {
    ssm = [{
      Sid       = "SystemsManagerOfAws"
      Effect    = "Allow"
      Principal = "*"
      Action    = ["ssm:Describe*", "ssm:Get*", "ssm:List*", "ssm:StartSession"]
      Resource = [
        "arn:${data.aws_partition.current.partition}:ssm:${var.region}::document/*",
        "arn:${data.aws_partition.current.partition}:ssm:${var.region}::parameter/aws/*",
      ]
      Condition = { StringEquals = local._own_principals }
    }]
  }
}

# One group for each endpoint, so that a rule says which API a role may call.
resource "aws_security_group" "endpoint" {
  for_each = toset(local._interface_endpoints)

  name        = "${var.project_name}-endpoint-${replace(each.key, ".", "-")}"
  description = "Interface endpoint ${each.key}"
  vpc_id      = aws_vpc.this.id
  tags        = merge(var.tags, { Name = "${var.project_name}-endpoint-${each.key}" })

  lifecycle {
    # AWS changes no description: the group, which is in use under its name, would have to be replaced.
    ignore_changes = [description]
  }
}

resource "aws_vpc_endpoint" "interface" {
  for_each = toset(local._interface_endpoints)

  vpc_id              = aws_vpc.this.id
  service_name        = "com.amazonaws.${var.region}.${each.key}"
  vpc_endpoint_type   = "Interface"
  subnet_ids          = [for zone in var.availability_zones : aws_subnet.private[zone].id]
  security_group_ids  = [aws_security_group.endpoint[each.key].id]
  private_dns_enabled = true

  policy = local._endpoint_services[each.key].policy == null ? null : jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      local._endpoint_statements[local._endpoint_services[each.key].policy],
      lookup(local._further_statements, each.key, []),
    )
  })

  tags = merge(var.tags, { Name = "${var.project_name}-${each.key}" })
}
