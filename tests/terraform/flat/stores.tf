# What keeps data: the OpenSearch domain, the AMP workspace, the table of the connection limiter.

resource "aws_security_group" "opensearch" {
  name        = "${var.project_name}-opensearch"
  description = "Security group for OpenSearch domain"
  vpc_id      = aws_vpc.main.id
}

resource "aws_security_group" "opensearch_setup" {
  name        = "${var.project_name}-opensearch-setup"
  description = "Security group for OpenSearch setup task"
  vpc_id      = aws_vpc.main.id

  egress {
    from_port       = 443
    to_port         = 443
    protocol        = "tcp"
    security_groups = [aws_security_group.opensearch.id, aws_security_group.vpc_endpoints.id]
  }
}

resource "aws_opensearch_domain" "temporal" {
  domain_name    = "${var.project_name}-visibility"
  engine_version = "OpenSearch_2.11"

  cluster_config {
    instance_type          = "t3.small.search"
    instance_count         = 1
    zone_awareness_enabled = false
  }

  ebs_options {
    ebs_enabled = true
    volume_size = 10
    volume_type = "gp3"
  }

  vpc_options {
    subnet_ids         = [aws_subnet.private[0].id]
    security_group_ids = [aws_security_group.opensearch.id]
  }

  encrypt_at_rest {
    enabled = true
  }

  node_to_node_encryption {
    enabled = true
  }

  domain_endpoint_options {
    enforce_https       = true
    tls_security_policy = "Policy-Min-TLS-1-2-2019-07"
  }

  access_policies = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = [aws_iam_role.temporal_task.arn, aws_iam_role.opensearch_setup_task.arn] }
      Action    = "es:ESHttp*"
      Resource  = "arn:aws:es:${var.region}:${data.aws_caller_identity.current.account_id}:domain/${var.project_name}-visibility/*"
    }]
  })

  tags = { Name = "${var.project_name}-opensearch" }
}

resource "aws_prometheus_workspace" "main" {
  alias = "${var.project_name}-metrics"
  tags  = { Name = "${var.project_name}-prometheus" }
}

resource "aws_dynamodb_table" "dsql_rate_limiter" {
  name         = "${var.project_name}-dsql-rate-limiter"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "pk"

  attribute {
    name = "pk"
    type = "S"
  }

  ttl {
    attribute_name = "ttl_epoch"
    enabled        = true
  }
}
