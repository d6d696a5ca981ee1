# AWS Client VPN for operators who need more than port forwarding.

module "client_vpn" {
  source = "../client-vpn"
  count  = var.client_vpn == null ? 0 : 1

  project_name           = var.project_name
  vpc_id                 = local.vpc.vpc_id
  vpc_cidr               = local.vpc.vpc_cidr
  subnet_ids             = local.vpc.private_subnet_ids
  client_vpn_cidr        = var.client_vpn.client_vpn_cidr
  server_certificate_arn = var.client_vpn.server_certificate_arn
  authentication_options = var.client_vpn.authentication_options
  authorized_cidrs       = var.client_vpn.authorized_cidrs
  log_retention_days     = var.log_retention_days
  kms_key_arn            = local.kms_key_arn
  tags                   = var.tags
}
