# Task roles, each with several policies.

locals {
  assume = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Action = "sts:AssumeRole", Effect = "Allow", Principal = { Service = "ecs-tasks.amazonaws.com" } }]
  })

  policies = {
    ecs_exec   = { Effect = "Allow", Action = ["ssmmessages:CreateControlChannel", "ssmmessages:OpenDataChannel"], Resource = "*" }
    dsql       = { Effect = "Allow", Action = ["dsql:DbConnect", "dsql:DbConnectAdmin"], Resource = local.dsql_arn }
    opensearch = { Effect = "Allow", Action = ["es:ESHttpGet", "es:ESHttpPost", "es:ESHttpPut"], Resource = "*" }
    prometheus = { Effect = "Allow", Action = ["aps:RemoteWrite"], Resource = aws_prometheus_workspace.main.arn }
    query      = { Effect = "Allow", Action = ["aps:QueryMetrics"], Resource = aws_prometheus_workspace.main.arn }
    secrets    = { Effect = "Allow", Action = ["secretsmanager:GetSecretValue"], Resource = data.aws_secretsmanager_secret.grafana_admin.arn }
  }
}

resource "aws_iam_role_policy_attachment" "ecs_execution_policy" {
  role       = aws_iam_role.ecs_execution.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}

resource "aws_iam_role" "ecs_execution" {
  name               = "${var.project_name}-ecs-execution"
  assume_role_policy = local.assume
}

resource "aws_iam_role" "temporal_task" {
  name               = "${var.project_name}-temporal-task"
  assume_role_policy = local.assume
}

resource "aws_iam_role" "temporal_ui_task" {
  name               = "${var.project_name}-temporal-ui-task"
  assume_role_policy = local.assume
}

resource "aws_iam_role" "grafana_task" {
  name               = "${var.project_name}-grafana-task"
  assume_role_policy = local.assume
}

resource "aws_iam_role" "adot_task" {
  name               = "${var.project_name}-adot-task"
  assume_role_policy = local.assume
}

resource "aws_iam_role" "opensearch_setup_task" {
  name               = "${var.project_name}-opensearch-setup-task"
  assume_role_policy = local.assume
}

resource "aws_iam_role_policy" "ecs_execution_secrets" {
  name   = "secrets-manager-access"
  role   = aws_iam_role.ecs_execution.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [local.policies.secrets] })
}

resource "aws_iam_role_policy" "temporal_ecs_exec" {
  name   = "ecs-exec"
  role   = aws_iam_role.temporal_task.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [local.policies.ecs_exec] })
}

resource "aws_iam_role_policy" "temporal_dsql" {
  name   = "dsql-access"
  role   = aws_iam_role.temporal_task.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [local.policies.dsql] })
}

resource "aws_iam_role_policy" "temporal_prometheus" {
  name   = "prometheus-remote-write"
  role   = aws_iam_role.temporal_task.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [local.policies.prometheus] })
}

resource "aws_iam_role_policy" "temporal_opensearch" {
  name   = "opensearch-access"
  role   = aws_iam_role.temporal_task.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [local.policies.opensearch] })
}

resource "aws_iam_role_policy" "temporal_ui_ecs_exec" {
  name   = "ecs-exec"
  role   = aws_iam_role.temporal_ui_task.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [local.policies.ecs_exec] })
}

resource "aws_iam_role_policy" "grafana_ecs_exec" {
  name   = "ecs-exec"
  role   = aws_iam_role.grafana_task.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [local.policies.ecs_exec] })
}

resource "aws_iam_role_policy" "grafana_prometheus" {
  name   = "prometheus-query"
  role   = aws_iam_role.grafana_task.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [local.policies.query] })
}

resource "aws_iam_role_policy" "adot_ecs_exec" {
  name   = "ecs-exec"
  role   = aws_iam_role.adot_task.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [local.policies.ecs_exec] })
}

resource "aws_iam_role_policy" "adot_prometheus" {
  name   = "prometheus-remote-write"
  role   = aws_iam_role.adot_task.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [local.policies.prometheus] })
}

resource "aws_iam_role_policy" "opensearch_setup_access" {
  name   = "opensearch-access"
  role   = aws_iam_role.opensearch_setup_task.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [local.policies.opensearch] })
}
