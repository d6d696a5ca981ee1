# What has another name here and is not to be deleted: Terraform forgets it.

# The record of who typed what in ECS Exec: /ecs/<project>/ecs-exec, which is /ecs/<project>/exec here.
removed {
  from = aws_cloudwatch_log_group.ecs_exec

  lifecycle {
    destroy = false
  }
}
