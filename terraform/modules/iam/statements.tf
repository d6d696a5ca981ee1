# The policy statements, one list for each thing that a task does.

locals {
  _dsql = [{
    Sid    = "ConnectToDsql"
    Effect = "Allow"
    # The plugin signs for DbConnectAdmin and for nothing else: DbConnect would be a right without use.
    Action   = ["dsql:DbConnectAdmin"]
    Resource = [var.dsql_cluster_arn]
  }]

  _opensearch = [{
    Sid      = "UseVisibilityIndex"
    Effect   = "Allow"
    Action   = ["es:ESHttpDelete", "es:ESHttpGet", "es:ESHttpHead", "es:ESHttpPost", "es:ESHttpPut"]
    Resource = ["${var.opensearch_domain_arn}/*"]
  }]

  _dynamodb = length(var.dynamodb_table_arns) == 0 ? [] : concat([{
    Sid    = "CountConnections"
    Effect = "Allow"
    # DynamoDB authorises a transaction by its member actions; there is no right named TransactWriteItems.
    Action   = ["dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
    Resource = var.dynamodb_table_arns
  }], local._decrypt)

  _metrics_write = [{
    Sid      = "WriteMetrics"
    Effect   = "Allow"
    Action   = ["aps:GetLabels", "aps:GetMetricMetadata", "aps:GetSeries", "aps:RemoteWrite"]
    Resource = [var.prometheus_workspace_arn]
  }]

  _metrics_read = [{
    Sid      = "ReadMetrics"
    Effect   = "Allow"
    Action   = ["aps:GetLabels", "aps:GetMetricMetadata", "aps:GetSeries", "aps:QueryMetrics"]
    Resource = [var.prometheus_workspace_arn]
  }]

  _cloudwatch_read = [{
    Sid    = "ReadCloudWatch"
    Effect = "Allow"
    Action = ["cloudwatch:GetMetricData", "cloudwatch:ListMetrics"]
    # Neither action knows a resource; the data that they return is this account's alone.
    Resource = ["*"]
  }]

  _loki = !var.loki_enabled ? [] : concat(
    [
      {
        Sid      = "ListChunks"
        Effect   = "Allow"
        Action   = ["s3:ListBucket"]
        Resource = [var.loki_s3_bucket_arn]
      },
      {
        Sid      = "KeepChunks"
        Effect   = "Allow"
        Action   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
        Resource = ["${var.loki_s3_bucket_arn}/*"]
      },
    ],
    local._encrypt,
  )

  # What the ecs_observer of the collector asks (opentelemetry-collector-contrib extension/observer/ecsobserver).
  _task_discovery = [
    {
      Sid    = "FindTasks"
      Effect = "Allow"
      Action = [
        "ecs:DescribeContainerInstances",
        "ecs:DescribeServices",
        "ecs:DescribeTasks",
        "ecs:ListServices",
        "ecs:ListTasks",
      ]
      Resource  = ["*"]
      Condition = { ArnEquals = { "ecs:cluster" = var.ecs_cluster_arn } }
    },
    {
      Sid    = "ReadWhatTheyRunAndOnWhat"
      Effect = "Allow"
      # Neither action knows a resource or the cluster, and both only describe.
      Action   = ["ec2:DescribeInstances", "ecs:DescribeTaskDefinition"]
      Resource = ["*"]
    },
  ]

  # What `dsql-deploy probe`, `membership` and `recover` ask of ECS, and what the last changes.
  _administration = [
    {
      Sid       = "SeeServicesAndTasks"
      Effect    = "Allow"
      Action    = ["ecs:DescribeServices", "ecs:DescribeTasks", "ecs:ListTasks"]
      Resource  = ["*"]
      Condition = { ArnEquals = { "ecs:cluster" = var.ecs_cluster_arn } }
    },
    {
      Sid      = "SeeWhatTheyRun"
      Effect   = "Allow"
      Action   = ["ecs:DescribeTaskDefinition"]
      Resource = ["*"]
    },
    {
      Sid       = "RestartTasks"
      Effect    = "Allow"
      Action    = ["ecs:StopTask", "ecs:UpdateService"]
      Resource  = ["*"]
      Condition = { ArnEquals = { "ecs:cluster" = var.ecs_cluster_arn } }
    },
  ]

  _exec = [
    {
      Sid    = "OpenExecSessions"
      Effect = "Allow"
      Action = [
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
      ]
      # These actions know no resource (service authorisation reference, Systems Manager messages).
      Resource = ["*"]
    },
    {
      Sid      = "FindExecLog"
      Effect   = "Allow"
      Action   = ["logs:DescribeLogGroups"]
      Resource = ["arn:${local._partition}:logs:${local._here}:log-group:*"]
    },
    {
      Sid      = "RecordExecSessions"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
      Resource = ["${trimsuffix(var.exec_log_group_arn, ":*")}:*"]
    },
  ]

  _decrypt = var.kms_key_arn == null ? [] : [{
    Sid      = "Decrypt"
    Effect   = "Allow"
    Action   = ["kms:Decrypt"]
    Resource = [var.kms_key_arn]
  }]

  _encrypt = var.kms_key_arn == null ? [] : [{
    Sid      = "EncryptAndDecrypt"
    Effect   = "Allow"
    Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
    Resource = [var.kms_key_arn]
  }]
}
