# What the domain writes to CloudWatch, and its permission to.

locals {
  _domain_logs = !local._makes ? {} : {
    ES_APPLICATION_LOGS = "application"
    INDEX_SLOW_LOGS     = "index-slow"
    SEARCH_SLOW_LOGS    = "search-slow"
  }
}

resource "aws_cloudwatch_log_group" "domain" {
  for_each = local._domain_logs

  name              = "/ecs/${var.project_name}/opensearch-${each.value}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
  tags              = var.tags
}

resource "aws_cloudwatch_log_resource_policy" "this" {
  count = local._makes ? 1 : 0

  policy_name = "${var.project_name}-opensearch"

  policy_document = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "WriteDomainLogs"
      Effect    = "Allow"
      Principal = { Service = "es.amazonaws.com" }
      Action    = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = [
        for name in sort(values(local._domain_logs)) :
        "arn:${data.aws_partition.current.partition}:logs:${local._here}:log-group:/ecs/${var.project_name}/opensearch-${name}:*"
      ]
      Condition = {
        StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id }
        ArnLike      = { "aws:SourceArn" = local._domain_arn }
      }
    }]
  })
}
