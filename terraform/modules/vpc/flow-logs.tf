# Which connections the network refused: a path that is closed between two roles shows nowhere else.

locals {
  _flow_logs = var.flow_logs.enabled ? 1 : 0
}

resource "aws_cloudwatch_log_group" "flow_logs" {
  count = local._flow_logs

  name              = "/vpc/${var.project_name}/flow-logs"
  retention_in_days = var.flow_logs.retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_iam_role" "flow_logs" {
  count = local._flow_logs

  name                 = "${var.project_name}-flow-logs"
  description          = "VPC flow logs of ${var.project_name} write to their log group"
  permissions_boundary = var.permissions_boundary_arn

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "vpc-flow-logs.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = local._account_id }
        ArnLike      = { "aws:SourceArn" = "arn:${data.aws_partition.current.partition}:ec2:${var.region}:${local._account_id}:vpc-flow-log/*" }
      }
    }]
  })

  tags = var.tags
}

resource "aws_iam_role_policy" "flow_logs" {
  count = local._flow_logs

  name = "write"
  role = aws_iam_role.flow_logs[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        Resource = ["${aws_cloudwatch_log_group.flow_logs[0].arn}:*"]
      },
      {
        Effect   = "Allow"
        Action   = ["logs:DescribeLogGroups"]
        Resource = ["arn:${data.aws_partition.current.partition}:logs:${var.region}:${local._account_id}:log-group:*"]
      },
    ]
  })
}

resource "aws_flow_log" "this" {
  count = local._flow_logs

  vpc_id                   = aws_vpc.this.id
  traffic_type             = var.flow_logs.traffic_type
  log_destination_type     = "cloud-watch-logs"
  log_destination          = aws_cloudwatch_log_group.flow_logs[0].arn
  iam_role_arn             = aws_iam_role.flow_logs[0].arn
  max_aggregation_interval = 60 # seconds; the default of 600 is longer than anyone waits beside a failing probe

  tags = merge(var.tags, { Name = var.project_name })

  depends_on = [aws_iam_role_policy.flow_logs]
}
