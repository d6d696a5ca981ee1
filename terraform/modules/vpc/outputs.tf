output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "vpc_cidr" {
  description = "Addresses of the VPC."
  value       = aws_vpc.this.cidr_block
}

output "private_subnet_ids" {
  description = "Private subnets in the order of availability_zones."
  value       = [for zone in var.availability_zones : aws_subnet.private[zone].id]
}

output "private_route_table_ids" {
  description = "Route tables of the private subnets, in the same order."
  value       = [for zone in var.availability_zones : aws_route_table.private[zone].id]
}

output "public_subnet_id" {
  description = "Subnet of the first NAT gateway; null without one."
  value       = var.nat == "none" ? null : aws_subnet.public_nat[var.availability_zones[0]].id
}

output "public_subnet_ids" {
  description = "Subnets of the NAT gateways, in the order of availability_zones."
  value       = [for zone in var.availability_zones : aws_subnet.public_nat[zone].id if contains(keys(local._nat_zones), zone)]
}

output "nat_gateway_ids" {
  description = "NAT gateways, in the order of availability_zones."
  value       = [for zone in var.availability_zones : aws_nat_gateway.this[zone].id if contains(keys(local._nat_zones), zone)]
}

output "nat_public_ips" {
  description = "Addresses under which others see the VPC, in the order of availability_zones."
  value       = [for zone in var.availability_zones : aws_eip.nat[zone].public_ip if contains(keys(local._nat_zones), zone)]
}

output "interface_endpoints" {
  description = "AWS APIs that have an interface endpoint."
  value       = local._interface_endpoints
}

output "endpoint_security_group_ids" {
  description = "By API: the security group of its interface endpoint. Each is without rules."
  value       = { for service, group in aws_security_group.endpoint : service => group.id }
}

output "gateway_prefix_list_ids" {
  description = "By service (s3, dynamodb): the prefix list of its addresses, for egress rules."
  value       = { for service, endpoint in aws_vpc_endpoint.gateway : service => endpoint.prefix_list_id }
}

output "vpc_endpoint_ids" {
  description = "By service: its endpoint, interface or gateway."
  value       = { for service, endpoint in merge(aws_vpc_endpoint.interface, aws_vpc_endpoint.gateway) : service => endpoint.id }
}

output "ways_out" {
  description = "Ids of routes to NAT gateways and of endpoints: what needs a way to AWS waits for it by depending on this."
  value = concat(
    [for route in aws_route.nat : route.id],
    [for endpoint in merge(aws_vpc_endpoint.interface, aws_vpc_endpoint.gateway) : endpoint.id],
  )
}
