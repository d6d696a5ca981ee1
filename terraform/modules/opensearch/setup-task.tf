# The one-off task that makes the visibility index. No service starts it: `dsql-deploy visibility setup ENV --as-task` does.

locals {
  # Every step ends the task with its own exit code; the tool's --quiet would make failures exit 0.
  # The template comes before the index, which would have no mapping without it.
  _setup_script = <<-EOT
    tool() {
      temporal-elasticsearch-tool --endpoint "$ES_SERVER" --aws aws-sdk-default "$@"
    }
    tries=0
    until tool ping; do
      tries=$((tries + 1))
      if [ "$tries" -ge 30 ]; then
        echo "$ES_SERVER did not answer within 5 minutes" >&2
        exit 1
      fi
      sleep 10
    done
    tool setup-schema
    tool create-index --index "$ES_VISIBILITY_INDEX"
    tool update-schema --index "$ES_VISIBILITY_INDEX"
    echo "visibility index $ES_VISIBILITY_INDEX is ready"
  EOT

  _setup_environment = {
    ES_SERVER           = "https://${local._endpoint}:${module.topology.ports.visibility.https}"
    ES_VISIBILITY_INDEX = var.visibility_index_name
  }
}

module "setup" {
  source = "../one-off-task"

  name               = "opensearch-setup"
  description        = "Task that makes the visibility index of ${var.project_name}"
  project_name       = var.project_name
  region             = var.region
  vpc_id             = var.vpc_id
  image              = var.admin_tools_image
  entry_point        = ["/bin/sh", "-euc"]
  command            = [local._setup_script]
  environment        = local._setup_environment
  task_role_arn      = var.setup_task_role_arn
  execution_role_arn = var.execution_role_arn
  log_retention_days = var.log_retention_days
  kms_key_arn        = var.kms_key_arn
  tags               = var.tags
}

moved {
  from = aws_cloudwatch_log_group.setup
  to   = module.setup.aws_cloudwatch_log_group.this
}

moved {
  from = aws_security_group.setup
  to   = module.setup.aws_security_group.this
}

moved {
  from = aws_ecs_task_definition.setup
  to   = module.setup.aws_ecs_task_definition.this
}
