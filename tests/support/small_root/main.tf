# One of each kind that an environment on ECS makes: those that AWS knows by a name, and those that
# it would make twice. Small, so that an apply takes seconds.
terraform {
  required_version = ">= 1.11, < 2"
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
  backend "s3" {
    key          = "small/terraform.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}

variable "account_id" {
  type = string
}

variable "region" {
  type = string
}

variable "project_name" {
  type    = string
  default = "small"
}

provider "aws" {
  region              = var.region
  allowed_account_ids = [var.account_id]
  default_tags {
    tags = {
      Project     = var.project_name
      Environment = "small"
      ManagedBy   = "terraform"
    }
  }
}

resource "aws_vpc" "this" {
  cidr_block = "10.42.0.0/16"
}

resource "aws_subnet" "this" {
  for_each   = { a = "10.42.0.0/24", b = "10.42.1.0/24" }
  vpc_id     = aws_vpc.this.id
  cidr_block = each.value
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id
}

resource "aws_eip" "this" {
  domain = "vpc"
}

resource "aws_route_table" "this" {
  vpc_id = aws_vpc.this.id
}

resource "aws_route" "this" {
  route_table_id         = aws_route_table.this.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this.id
}

resource "aws_route_table_association" "this" {
  for_each       = aws_subnet.this
  subnet_id      = each.value.id
  route_table_id = aws_route_table.this.id
}

resource "aws_security_group" "this" {
  name        = "${var.project_name}-tasks"
  description = "tasks"
  vpc_id      = aws_vpc.this.id
}

resource "aws_vpc_security_group_ingress_rule" "this" {
  security_group_id            = aws_security_group.this.id
  referenced_security_group_id = aws_security_group.this.id
  ip_protocol                  = "tcp"
  from_port                    = 7233
  to_port                      = 7233
}

resource "aws_vpc_security_group_egress_rule" "this" {
  security_group_id = aws_security_group.this.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/${var.project_name}/tasks"
  retention_in_days = 7
}

resource "aws_iam_role" "this" {
  name = "${var.project_name}-task"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  name = "logs"
  role = aws_iam_role.this.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "logs:PutLogEvents", Resource = "*" }]
  })
}

resource "aws_ecs_cluster" "this" {
  name = var.project_name
}

resource "aws_ecs_task_definition" "this" {
  family        = "${var.project_name}-history"
  task_role_arn = aws_iam_role.this.arn
  container_definitions = jsonencode([
    { name = "history", image = "history:1", memory = 64, essential = true }
  ])
}

resource "aws_dsql_cluster" "this" {
  deletion_protection_enabled = false
}
