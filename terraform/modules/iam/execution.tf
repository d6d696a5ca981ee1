# What ECS itself may do to start a task: pull its image, open its log streams, read its parameters.

locals {
  _execution = [
    {
      Sid    = "LogInToEcr"
      Effect = "Allow"
      Action = ["ecr:GetAuthorizationToken"]
      # The token is one for the whole registry: the action knows no resource.
      Resource = ["*"]
    },
    {
      Sid    = "PullImages"
      Effect = "Allow"
      Action = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      Resource = coalesce(
        var.image_repository_arns,
        ["arn:${local._partition}:ecr:${local._here}:repository/*"],
      )
    },
    {
      Sid      = "WriteLogs"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = ["arn:${local._partition}:logs:${local._here}:log-group:/ecs/${var.project_name}/*"]
    },
    {
      Sid      = "ReadParameters"
      Effect   = "Allow"
      Action   = ["ssm:GetParameters"]
      Resource = ["arn:${local._partition}:ssm:${local._here}:parameter/${var.project_name}/*"]
    },
  ]

  # Grafana's secret is read for Grafana's task alone, so that task has an execution role of its own.
  _execution_roles = merge(
    { ecs-execution = concat(local._execution, local._decrypt) },
    !var.grafana_enabled ? {} : {
      grafana-execution = concat(local._execution, local._decrypt, [{
        Sid      = "ReadAdministratorSecret"
        Effect   = "Allow"
        Action   = ["secretsmanager:GetSecretValue"]
        Resource = [var.grafana_admin_secret_arn]
      }])
    },
  )
}

resource "aws_iam_role" "execution" {
  for_each = local._execution_roles

  name                 = "${var.project_name}-${each.key}"
  description          = "What ECS may do to start tasks of ${var.project_name}."
  assume_role_policy   = local._assume_role_policy
  permissions_boundary = var.permissions_boundary_arn
  tags                 = var.tags
}

resource "aws_iam_role_policy" "execution" {
  for_each = local._execution_roles

  name = "execution"
  role = aws_iam_role.execution[each.key].name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = each.value
  })
}
