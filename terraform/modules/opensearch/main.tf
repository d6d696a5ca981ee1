# The visibility store: an OpenSearch domain in the VPC, or one that is brought.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

module "topology" {
  source = "../topology"
}

locals {
  _here  = "${var.region}:${data.aws_caller_identity.current.account_id}"
  _makes = var.existing_domain == null

  _domain_name = coalesce(var.domain_name, "${var.project_name}-visibility")
  _zones       = var.instance_count > 1 ? min(var.instance_count, length(var.subnet_ids), 3) : 1

  # Known before the domain is: nothing that is told to CloudWatch has to wait for it.
  _domain_arn = "arn:${data.aws_partition.current.partition}:es:${local._here}:domain/${local._domain_name}"

  _endpoint = local._makes ? aws_opensearch_domain.this[0].endpoint : var.existing_domain.endpoint
}

# Its rules are made where all groups are known; see the module temporal-cluster.
resource "aws_security_group" "this" {
  count = local._makes ? 1 : 0

  name        = "${var.project_name}-opensearch"
  description = "OpenSearch domain of ${var.project_name}"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${var.project_name}-opensearch" })

  lifecycle {
    # AWS changes no description, and deletes no group that a domain wears: the first one stays.
    ignore_changes = [description]
  }
}

resource "aws_opensearch_domain" "this" {
  count = local._makes ? 1 : 0

  domain_name    = local._domain_name
  engine_version = var.engine_version

  cluster_config {
    instance_type            = var.instance_type
    instance_count           = var.instance_count
    dedicated_master_enabled = var.dedicated_master != null
    dedicated_master_type    = try(var.dedicated_master.instance_type, null)
    dedicated_master_count   = try(var.dedicated_master.count, null)
    zone_awareness_enabled   = local._zones > 1

    dynamic "zone_awareness_config" {
      for_each = local._zones > 1 ? [local._zones] : []

      content {
        availability_zone_count = zone_awareness_config.value
      }
    }
  }

  ebs_options {
    ebs_enabled = true
    volume_type = "gp3"
    volume_size = var.volume_size
    # What gp3 has at no extra price.
    iops       = 3000
    throughput = 125
  }

  vpc_options {
    subnet_ids         = slice(var.subnet_ids, 0, local._zones)
    security_group_ids = [aws_security_group.this[0].id]
  }

  encrypt_at_rest {
    enabled    = true
    kms_key_id = var.kms_key_arn
  }

  node_to_node_encryption {
    enabled = true
  }

  domain_endpoint_options {
    enforce_https       = true
    tls_security_policy = "Policy-Min-TLS-1-2-PFS-2023-10"
  }

  dynamic "log_publishing_options" {
    for_each = aws_cloudwatch_log_group.domain

    content {
      log_type                 = log_publishing_options.key
      cloudwatch_log_group_arn = log_publishing_options.value.arn
    }
  }

  software_update_options {
    auto_software_update_enabled = true
  }

  off_peak_window_options {
    enabled = true

    off_peak_window {
      window_start_time {
        hours   = 1
        minutes = 0
      }
    }
  }

  tags = merge(var.tags, { Name = local._domain_name })

  # OpenSearch tries to write to the log groups before it accepts them.
  depends_on = [aws_cloudwatch_log_resource_policy.this]

  lifecycle {
    # With another key the domain would be a new one without its index: it keeps its first.
    ignore_changes = [encrypt_at_rest[0].kms_key_id]
  }
}

# Unsigned requests, and requests signed by anybody else, are answered 403.
resource "aws_opensearch_domain_policy" "this" {
  count = local._makes ? 1 : 0

  domain_name = aws_opensearch_domain.this[0].domain_name

  access_policies = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "UseVisibilityIndex"
      Effect    = "Allow"
      Principal = { AWS = concat([var.temporal_task_role_arn, var.setup_task_role_arn], var.operator_principal_arns) }
      Action    = ["es:ESHttpDelete", "es:ESHttpGet", "es:ESHttpHead", "es:ESHttpPost", "es:ESHttpPut"]
      Resource  = "${local._domain_arn}/*"
    }]
  })
}
