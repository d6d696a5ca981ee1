# How many instances there are: at first instance_count, from then on as many as ECS needs.

resource "aws_autoscaling_group" "this" {
  name                    = local._name
  vpc_zone_identifier     = var.subnet_ids
  desired_capacity        = var.instance_count
  min_size                = var.min_size
  max_size                = var.max_size
  default_instance_warmup = var.instance_warmup_seconds
  health_check_type       = "EC2"

  # ECS takes the protection from the instances that it wants to be rid of; nobody else ends one.
  protect_from_scale_in = true

  # Deleting the group waits for ever for instances that are protected.
  force_delete = true

  enabled_metrics = [
    "GroupDesiredCapacity",
    "GroupInServiceInstances",
    "GroupPendingInstances",
    "GroupTerminatingInstances",
    "GroupTotalInstances",
  ]

  launch_template {
    id      = aws_launch_template.this.id
    version = aws_launch_template.this.latest_version
  }

  # Instances and volumes have theirs from the launch template.
  dynamic "tag" {
    for_each = local._instance_tags

    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = false
    }
  }

  # ECS adds this tag by itself, which every later plan would take away again.
  tag {
    key                 = "AmazonECSManaged"
    value               = "true"
    propagate_at_launch = true
  }

  lifecycle {
    ignore_changes = [desired_capacity]
  }

  # An instance that starts without a way to ECS never joins, and one that loses it cannot say that its tasks stopped.
  depends_on = [var.wait_for]
}

resource "aws_ecs_capacity_provider" "this" {
  name = local._name
  tags = merge(var.tags, { Name = local._name })

  auto_scaling_group_provider {
    auto_scaling_group_arn         = aws_autoscaling_group.this.arn
    managed_draining               = "ENABLED"
    managed_termination_protection = "ENABLED"

    managed_scaling {
      status                 = "ENABLED"
      target_capacity        = var.target_capacity
      instance_warmup_period = var.instance_warmup_seconds
    }
  }
}
