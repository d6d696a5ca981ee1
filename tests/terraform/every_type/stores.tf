# What keeps data: DSQL and its backup, DynamoDB, OpenSearch, S3, parameters, secrets.

resource "aws_dsql_cluster" "this" {
  deletion_protection_enabled = false
  kms_encryption_key          = aws_kms_key.this.arn
}

resource "aws_backup_vault" "this" {
  name        = "every"
  kms_key_arn = aws_kms_key.this.arn
}

resource "aws_backup_plan" "this" {
  name = "every"

  rule {
    rule_name         = "daily"
    target_vault_name = aws_backup_vault.this.name
    schedule          = "cron(0 3 * * ? *)"
    start_window      = 60
    completion_window = 360

    lifecycle {
      delete_after = 35
    }
  }
}

resource "aws_backup_selection" "this" {
  name         = "every"
  plan_id      = aws_backup_plan.this.id
  iam_role_arn = aws_iam_role.this.arn
  resources    = [aws_dsql_cluster.this.arn]
}

resource "aws_dynamodb_table" "this" {
  name                        = "every"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "pk"
  range_key                   = "sk"
  deletion_protection_enabled = false

  attribute {
    name = "pk"
    type = "S"
  }

  attribute {
    name = "sk"
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
    kms_key_arn = aws_kms_key.this.arn
  }
}

resource "aws_opensearch_domain" "this" {
  for_each = { one = 1, three = 3 }

  domain_name    = "every-${each.key}"
  engine_version = "OpenSearch_2.19"

  cluster_config {
    instance_type            = each.value == 1 ? "t3.small.search" : "m7g.large.search"
    instance_count           = each.value
    zone_awareness_enabled   = each.value > 1
    dedicated_master_enabled = each.value > 1
    dedicated_master_type    = each.value > 1 ? "m7g.medium.search" : null
    dedicated_master_count   = each.value > 1 ? 3 : null

    dynamic "zone_awareness_config" {
      for_each = each.value > 1 ? [3] : []

      content {
        availability_zone_count = zone_awareness_config.value
      }
    }
  }

  ebs_options {
    ebs_enabled = true
    volume_type = "gp3"
    volume_size = 10
  }

  vpc_options {
    subnet_ids         = [for zone in slice(local.zones, 0, each.value) : aws_subnet.private[zone].id]
    security_group_ids = [aws_security_group.endpoint.id]
  }

  encrypt_at_rest {
    enabled    = true
    kms_key_id = aws_kms_key.this.arn
  }

  node_to_node_encryption {
    enabled = true
  }

  domain_endpoint_options {
    enforce_https       = true
    tls_security_policy = "Policy-Min-TLS-1-2-PFS-2023-10"
  }

  advanced_options = {
    "rest.action.multi.allow_explicit_index" = "true"
  }

  auto_tune_options {
    desired_state = each.value == 1 ? "DISABLED" : "ENABLED"
  }

  software_update_options {
    auto_software_update_enabled = true
  }

  off_peak_window_options {
    enabled = true

    off_peak_window {
      window_start_time {
        hours   = 3
        minutes = 0
      }
    }
  }

  dynamic "log_publishing_options" {
    for_each = toset(["ES_APPLICATION_LOGS", "INDEX_SLOW_LOGS", "SEARCH_SLOW_LOGS"])

    content {
      log_type                 = log_publishing_options.key
      cloudwatch_log_group_arn = aws_cloudwatch_log_group.this.arn
    }
  }

  timeouts {
    create = "1s"
    update = "1s"
    delete = "1s"
  }

  depends_on = [aws_cloudwatch_log_resource_policy.this, aws_iam_service_linked_role.this]
}

resource "aws_opensearch_domain_policy" "this" {
  for_each = aws_opensearch_domain.this

  domain_name     = each.value.domain_name
  access_policies = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "es:ESHttp*", Principal = { AWS = aws_iam_role.this.arn }, Resource = "${each.value.arn}/*" }] })

  timeouts {
    update = "1s"
    delete = "1s"
  }
}

resource "aws_s3_bucket" "this" {
  bucket        = "every-${local.account}"
  force_destroy = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket                  = aws_s3_bucket.this.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.this.arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    id     = "expire"
    status = "Enabled"

    filter {}

    expiration {
      days = 7
    }

    noncurrent_version_expiration {
      noncurrent_days = 1
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }
}

resource "aws_s3_bucket_policy" "this" {
  bucket = aws_s3_bucket.this.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyTls"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.this.arn, "${aws_s3_bucket.this.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })

  depends_on = [aws_s3_bucket_public_access_block.this]
}

resource "aws_ssm_parameter" "this" {
  name   = "/every/config"
  type   = "SecureString"
  key_id = aws_kms_key.this.arn
  value  = "receivers: {}"
}

data "aws_secretsmanager_secret" "grafana" {
  name = "every/grafana/admin"
}
