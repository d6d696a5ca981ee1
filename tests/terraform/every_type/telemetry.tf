# Logs and metrics.

resource "aws_cloudwatch_log_group" "this" {
  name              = "/ecs/every"
  retention_in_days = 7
  kms_key_id        = aws_kms_key.this.arn
}

resource "aws_cloudwatch_log_resource_policy" "this" {
  policy_name     = "every"
  policy_document = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Principal = { Service = "es.amazonaws.com" }, Resource = "${aws_cloudwatch_log_group.this.arn}:*" }] })
}

resource "aws_prometheus_workspace" "this" {
  alias       = "every"
  kms_key_arn = aws_kms_key.this.arn

  logging_configuration {
    log_group_arn = "${aws_cloudwatch_log_group.this.arn}:*"
  }
}

resource "aws_cloudwatch_log_stream" "this" {
  name           = "every"
  log_group_name = aws_cloudwatch_log_group.this.name
}
