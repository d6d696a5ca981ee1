# The network of one Temporal cluster: private subnets, and as many ways out of them as `nat` says.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

resource "aws_vpc" "this" {
  cidr_block           = var.vpc_cidr
  enable_dns_support   = true
  enable_dns_hostnames = true # private DNS of interface endpoints needs both

  tags = merge(var.tags, { Name = var.project_name })
}

# AWS makes this group with rules that let all its members talk to each other. Taking it over without
# any rule means that whatever forgets to name a group of its own reaches nothing.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id
  tags   = merge(var.tags, { Name = "${var.project_name}-default-unused" })
}
