# Loki's bucket.

locals {
  # A bucket's name is one in all of AWS.
  _loki_bucket_name = "${var.project_name}-loki-${data.aws_caller_identity.current.account_id}-${var.region}"
}

resource "aws_s3_bucket" "loki" {
  count = var.loki_enabled ? 1 : 0

  bucket        = local._loki_bucket_name
  force_destroy = var.loki_bucket_force_destroy
  tags          = merge(var.tags, { Name = local._loki_bucket_name })

  lifecycle {
    precondition {
      condition     = length(local._loki_bucket_name) <= 63
      error_message = "the name of Loki's bucket, ${local._loki_bucket_name}, has more than the 63 characters that S3 takes: shorten project_name."
    }
  }
}

resource "aws_s3_bucket_public_access_block" "loki" {
  count = var.loki_enabled ? 1 : 0

  bucket                  = aws_s3_bucket.loki[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "loki" {
  count = var.loki_enabled ? 1 : 0

  bucket = aws_s3_bucket.loki[0].id

  rule {
    bucket_key_enabled = var.kms_key_arn != null

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

# What Loki's retention or a hand deletes too much comes back for a week.
resource "aws_s3_bucket_versioning" "loki" {
  count = var.loki_enabled ? 1 : 0

  bucket = aws_s3_bucket.loki[0].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_policy" "loki" {
  count = var.loki_enabled ? 1 : 0

  bucket = aws_s3_bucket.loki[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "RefusePlainHttp"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.loki[0].arn, "${aws_s3_bucket.loki[0].arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })

  # S3 refuses a policy while it settles who may set one.
  depends_on = [aws_s3_bucket_public_access_block.loki]
}

# Loki itself deletes what is too old. The provider waits almost a minute here, so nothing may depend on this.
resource "aws_s3_bucket_lifecycle_configuration" "loki" {
  count = var.loki_enabled ? 1 : 0

  bucket = aws_s3_bucket.loki[0].id

  rule {
    id     = "old-versions"
    status = "Enabled"

    filter {}

    noncurrent_version_expiration {
      noncurrent_days = 7
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  depends_on = [aws_s3_bucket_versioning.loki]
}
