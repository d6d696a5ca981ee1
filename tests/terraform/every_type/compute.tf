# ECS: clusters, capacity, task definitions, services; the images that they run.

resource "aws_ecs_account_setting_default" "trunking" {
  name  = "awsvpcTrunking"
  value = "enabled"
}

resource "aws_ecs_cluster" "this" {
  name = "every"

  configuration {
    execute_command_configuration {
      kms_key_id = aws_kms_key.this.arn
      logging    = "OVERRIDE"

      log_configuration {
        cloud_watch_encryption_enabled = true
        cloud_watch_log_group_name     = aws_cloudwatch_log_group.this.name
      }
    }
  }

  service_connect_defaults {
    namespace = aws_service_discovery_http_namespace.this.arn
  }

  setting {
    name  = "containerInsights"
    value = "enhanced"
  }
}

resource "aws_launch_template" "this" {
  name                   = "every"
  image_id               = "resolve:ssm:/aws/service/ecs/optimized-ami/amazon-linux-2023/arm64/recommended/image_id"
  instance_type          = "m7g.large"
  update_default_version = true
  user_data              = base64encode("#!/bin/bash\necho ECS_CLUSTER=every >> /etc/ecs/ecs.config\n")
  tags                   = { Name = "every" }

  iam_instance_profile {
    arn = aws_iam_instance_profile.this.arn
  }

  network_interfaces {
    associate_public_ip_address = false
    delete_on_termination       = true
    security_groups             = [aws_security_group.client.id]
  }

  block_device_mappings {
    device_name = "/dev/xvda"

    ebs {
      volume_size           = 50
      volume_type           = "gp3"
      encrypted             = true
      kms_key_id            = aws_kms_key.this.arn
      delete_on_termination = true
    }
  }

  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
    instance_metadata_tags      = "disabled"
  }

  monitoring {
    enabled = true
  }

  dynamic "tag_specifications" {
    for_each = toset(["instance", "volume", "network-interface"])

    content {
      resource_type = tag_specifications.key
      tags          = { Name = "every" }
    }
  }
}

# A second one in the plainer form, with a group instead of an interface.
resource "aws_launch_template" "plain" {
  name                   = "every-plain"
  image_id               = "ami-0123456789abcdef0"
  instance_type          = "m7g.large"
  vpc_security_group_ids = [aws_security_group.client.id]
}

resource "aws_autoscaling_group" "this" {
  name                      = "every"
  min_size                  = 0
  desired_capacity          = 1
  max_size                  = 4
  vpc_zone_identifier       = [for subnet in aws_subnet.private : subnet.id]
  protect_from_scale_in     = true
  force_delete              = true
  health_check_type         = "EC2"
  health_check_grace_period = 300
  wait_for_capacity_timeout = "0"
  enabled_metrics           = ["GroupDesiredCapacity", "GroupInServiceInstances"]
  max_instance_lifetime     = 2592000

  launch_template {
    id      = aws_launch_template.this.id
    version = aws_launch_template.this.latest_version
  }

  instance_refresh {
    strategy = "Rolling"

    preferences {
      min_healthy_percentage       = 100
      scale_in_protected_instances = "Refresh"
    }
  }

  tag {
    key                 = "Name"
    value               = "every"
    propagate_at_launch = true
  }

  tag {
    key                 = "AmazonECSManaged"
    value               = "true"
    propagate_at_launch = true
  }

  lifecycle {
    ignore_changes = [desired_capacity]
  }
}

resource "aws_ecs_capacity_provider" "this" {
  name = "every"

  auto_scaling_group_provider {
    auto_scaling_group_arn         = aws_autoscaling_group.this.arn
    managed_termination_protection = "ENABLED"
    managed_draining               = "ENABLED"

    managed_scaling {
      status                    = "ENABLED"
      target_capacity           = 100
      minimum_scaling_step_size = 1
      maximum_scaling_step_size = 4
      instance_warmup_period    = 60
    }
  }
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  cluster_name       = aws_ecs_cluster.this.name
  capacity_providers = [aws_ecs_capacity_provider.this.name, "FARGATE"]

  default_capacity_provider_strategy {
    capacity_provider = aws_ecs_capacity_provider.this.name
    weight            = 1
  }
}

resource "aws_ecs_task_definition" "ec2" {
  family                   = "every-ec2"
  requires_compatibilities = ["EC2"]
  network_mode             = "awsvpc"
  cpu                      = 512
  memory                   = 1024
  execution_role_arn       = aws_iam_role.this.arn
  task_role_arn            = aws_iam_role.this.arn

  container_definitions = jsonencode([{
    name         = "every"
    image        = "${aws_ecr_repository.this.repository_url}:1"
    essential    = true
    environment  = [{ name = "A", value = "1" }, { name = "B", value = "2" }]
    secrets      = [{ name = "PASSWORD", valueFrom = "${data.aws_secretsmanager_secret.grafana.arn}:admin_password::" }, { name = "CONFIG", valueFrom = aws_ssm_parameter.this.arn }]
    dependsOn    = [{ containerName = "init", condition = "SUCCESS" }]
    portMappings = [{ name = "grpc", containerPort = 7233, hostPort = 7233, protocol = "tcp" }]
    healthCheck  = { command = ["CMD", "grpc_health_probe"], interval = 30, timeout = 5, retries = 3, startPeriod = 300 }
    linuxParameters = {
      initProcessEnabled = true
      tmpfs              = [{ containerPath = "/etc/temporal/config", size = 1, mountOptions = ["uid=1000", "mode=0755"] }]
    }
    logConfiguration = { logDriver = "awslogs", options = { awslogs-group = aws_cloudwatch_log_group.this.name, awslogs-region = local.region, awslogs-stream-prefix = "every", mode = "non-blocking", max-buffer-size = "25m" } }
    mountPoints      = [{ sourceVolume = "logs", containerPath = "/var/log/temporal", readOnly = false }]
    stopTimeout      = 120
    systemControls   = []
    ulimits          = [{ name = "nofile", softLimit = 65536, hardLimit = 65536 }]
    volumesFrom      = []
    }, {
    name            = "init"
    image           = "alpine:3.22"
    essential       = false
    command         = ["true"]
    user            = "1000"
    environment     = []
    linuxParameters = { initProcessEnabled = true }
    mountPoints     = []
    portMappings    = []
    systemControls  = []
    volumesFrom     = []
  }])

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "ARM64"
  }

  volume {
    name = "logs"
  }
}

resource "aws_ecs_task_definition" "fargate" {
  family                   = "every-fargate"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.this.arn

  container_definitions = jsonencode([{
    name           = "setup"
    image          = "alpine:3.22"
    essential      = true
    entryPoint     = ["sh", "-c"]
    command        = ["true"]
    environment    = []
    mountPoints    = []
    portMappings   = []
    systemControls = []
    volumesFrom    = []
  }])

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "ARM64"
  }

  ephemeral_storage {
    size_in_gib = 25
  }
}

resource "aws_ecs_service" "everything" {
  name            = "every-everything"
  cluster         = aws_ecs_cluster.this.arn
  task_definition = aws_ecs_task_definition.ec2.arn
  desired_count   = 0

  enable_execute_command             = true
  enable_ecs_managed_tags            = true
  propagate_tags                     = "SERVICE"
  deployment_minimum_healthy_percent = 66
  deployment_maximum_percent         = 150
  health_check_grace_period_seconds  = 150
  availability_zone_rebalancing      = "DISABLED"

  capacity_provider_strategy {
    capacity_provider = aws_ecs_capacity_provider.this.name
    base              = 0
    weight            = 1
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets         = [for subnet in aws_subnet.private : subnet.id]
    security_groups = [aws_security_group.client.id]
  }

  ordered_placement_strategy {
    type  = "spread"
    field = "attribute:ecs.availability-zone"
  }

  ordered_placement_strategy {
    type  = "spread"
    field = "instanceId"
  }

  placement_constraints {
    type       = "memberOf"
    expression = "attribute:workload == history"
  }

  service_connect_configuration {
    enabled   = true
    namespace = aws_service_discovery_http_namespace.this.arn

    service {
      port_name      = "grpc"
      discovery_name = "every"

      client_alias {
        dns_name = "every"
        port     = 7233
      }

      timeout {
        idle_timeout_seconds = 3600
      }
    }

    log_configuration {
      log_driver = "awslogs"
      options    = { awslogs-group = aws_cloudwatch_log_group.this.name, awslogs-region = local.region }
    }
  }

  service_registries {
    registry_arn   = aws_service_discovery_service.this.arn
    container_name = "every"
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.this.arn
    container_name   = "every"
    container_port   = 7233
  }

  lifecycle {
    ignore_changes = [desired_count]
  }

  depends_on = [aws_lb_listener.this]
}

resource "aws_ecs_service" "rebalanced" {
  name                          = "every-rebalanced"
  cluster                       = aws_ecs_cluster.this.arn
  task_definition               = aws_ecs_task_definition.ec2.arn
  desired_count                 = 0
  availability_zone_rebalancing = "ENABLED"
  enable_execute_command        = true

  capacity_provider_strategy {
    capacity_provider = aws_ecs_capacity_provider.this.name
    weight            = 1
  }

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets         = [for subnet in aws_subnet.private : subnet.id]
    security_groups = [aws_security_group.client.id]
  }

  service_connect_configuration {
    enabled   = true
    namespace = aws_service_discovery_http_namespace.this.arn
  }
}

resource "aws_service_discovery_http_namespace" "this" {
  name        = "every"
  description = "Service Connect"
}

resource "aws_service_discovery_private_dns_namespace" "this" {
  name        = "every.internal"
  description = "Names in the VPC"
  vpc         = aws_vpc.this.id
}

resource "aws_service_discovery_service" "this" {
  name = "every"

  dns_config {
    namespace_id   = aws_service_discovery_private_dns_namespace.this.id
    routing_policy = "MULTIVALUE"

    dns_records {
      type = "A"
      ttl  = 10
    }
  }

  health_check_custom_config {
    failure_threshold = 1
  }
}

resource "aws_ecr_repository" "this" {
  name                 = "every"
  image_tag_mutability = "IMMUTABLE"

  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = aws_kms_key.this.arn
  }

  image_scanning_configuration {
    scan_on_push = true
  }
}

resource "aws_ecr_lifecycle_policy" "this" {
  repository = aws_ecr_repository.this.name

  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Untagged"
      selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 7 }
      action       = { type = "expire" }
    }]
  })
}
