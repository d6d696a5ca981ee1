# Keys, roles, certificates, Client VPN.

resource "aws_kms_key" "this" {
  description             = "Every"
  enable_key_rotation     = true
  deletion_window_in_days = 7

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "LeaveItToIam"
      Effect    = "Allow"
      Action    = "kms:*"
      Resource  = "*"
      Principal = { AWS = "arn:${data.aws_partition.current.partition}:iam::${local.account}:root" }
    }]
  })
}

resource "aws_kms_alias" "this" {
  name          = "alias/every"
  target_key_id = aws_kms_key.this.key_id
}

resource "aws_iam_role" "this" {
  name = "every"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = ["ecs-tasks.amazonaws.com", "ec2.amazonaws.com", "backup.amazonaws.com"] }
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_iam_policy" "this" {
  name   = "every"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "dsql:DbConnectAdmin", Resource = aws_dsql_cluster.this.arn }] })
}

resource "aws_iam_role_policy" "this" {
  name   = "every"
  role   = aws_iam_role.this.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "dsql:DbConnectAdmin", Resource = "*" }] })
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each = {
    own = aws_iam_policy.this.arn
    ecs = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role"
    ssm = "arn:${data.aws_partition.current.partition}:iam::aws:policy/AmazonSSMManagedInstanceCore"
    vol = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"
  }

  role       = aws_iam_role.this.name
  policy_arn = each.value
}

resource "aws_iam_instance_profile" "this" {
  name = "every"
  role = aws_iam_role.this.name
}

resource "aws_iam_service_linked_role" "this" {
  for_each = toset(["ecs.amazonaws.com", "opensearchservice.amazonaws.com"])

  aws_service_name = each.key
}

resource "aws_acm_certificate" "this" {
  private_key      = file("${path.module}/certificate/key.pem")
  certificate_body = file("${path.module}/certificate/certificate.pem")
}

resource "aws_ec2_client_vpn_endpoint" "this" {
  description            = "every"
  server_certificate_arn = aws_acm_certificate.this.arn
  client_cidr_block      = "10.100.0.0/22"
  split_tunnel           = true
  session_timeout_hours  = 8
  vpc_id                 = aws_vpc.this.id
  security_group_ids     = [aws_security_group.client.id]
  dns_servers            = ["10.0.0.2"]
  transport_protocol     = "udp"
  vpn_port               = 443

  authentication_options {
    type                       = "certificate-authentication"
    root_certificate_chain_arn = aws_acm_certificate.this.arn
  }

  connection_log_options {
    enabled              = true
    cloudwatch_log_group = aws_cloudwatch_log_group.this.name
  }

  client_login_banner_options {
    enabled     = true
    banner_text = "every"
  }
}

resource "aws_ec2_client_vpn_authorization_rule" "this" {
  client_vpn_endpoint_id = aws_ec2_client_vpn_endpoint.this.id
  target_network_cidr    = aws_vpc.this.cidr_block
  authorize_all_groups   = true
  description            = "Into the VPC"
}
