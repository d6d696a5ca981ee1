# EC2 instances that carry ECS tasks: Graviton only, as all images here are arm64.

data "aws_partition" "current" {}

locals {
  _name = "${var.project_name}-${var.name}"

  # EC2 resolves the parameter at each launch, so that new instances have today's image while no plan
  # ever shows a difference because AWS published one. Instances that run are not touched.
  _latest_ami = "resolve:ssm:/aws/service/ecs/optimized-ami/amazon-linux-2023/arm64/recommended/image_id"

  _instance_tags = merge(var.tags, { Name = local._name })
}

resource "aws_security_group" "instances" {
  name        = "${local._name}-instances"
  description = "Instances of ${local._name}: agent and image pulls, never tasks"
  vpc_id      = var.vpc_id
  tags        = merge(var.tags, { Name = "${local._name}-instances" })

  lifecycle {
    # AWS changes no description: the group, which is in use under its name, would have to be replaced.
    ignore_changes = [description]
  }
}

resource "aws_launch_template" "this" {
  name                   = local._name
  description            = "Instances of ${local._name}"
  image_id               = coalesce(var.ami_id, local._latest_ami)
  instance_type          = var.instance_type
  update_default_version = true
  vpc_security_group_ids = [aws_security_group.instances.id]

  user_data = base64encode(templatefile("${path.module}/templates/ecs.config.sh.tftpl", {
    cluster_name        = var.cluster_name
    instance_attributes = length(var.instance_attributes) == 0 ? null : jsonencode(var.instance_attributes)
  }))

  iam_instance_profile {
    arn = aws_iam_instance_profile.this.arn
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1 # ends in the instance: no container of a bridge gets the role of the instance
  }

  # Figures of CPU and network each minute: scaling and benchmarks look at less than five.
  monitoring {
    enabled = true
  }

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_type           = "gp3"
      volume_size           = var.volume_size
      encrypted             = true
      kms_key_id            = var.volume_kms_key_arn
      delete_on_termination = true
    }
  }

  tag_specifications {
    resource_type = "instance"
    tags          = local._instance_tags
  }

  tag_specifications {
    resource_type = "volume"
    tags          = local._instance_tags
  }

  tags = merge(var.tags, { Name = local._name })
}
