# The one group of all endpoints, which have a group each here. Terraform would delete it before they leave it, which
# AWS refuses: it is forgotten, and deleted by hand after the apply.
removed {
  from = aws_security_group.vpc_endpoints

  lifecycle {
    destroy = false
  }
}
