# The way out to the internet: public subnets that hold nothing but NAT gateways.

locals {
  _nat_zones = {
    none   = {}
    one    = { (var.availability_zones[0]) = 0 }
    per_az = local._zone_index
  }[var.nat]
}

resource "aws_internet_gateway" "this" {
  count = var.nat == "none" ? 0 : 1

  vpc_id = aws_vpc.this.id
  tags   = merge(var.tags, { Name = var.project_name })
}

# Counted down from the end of the VPC's addresses, where no private subnet of the zones can reach.
resource "aws_subnet" "public_nat" {
  for_each = local._nat_zones

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.key
  cidr_block              = cidrsubnet(var.vpc_cidr, 8, 255 - each.value)
  map_public_ip_on_launch = false

  tags = merge(var.tags, { Name = "${var.project_name}-nat-${each.key}" })
}

resource "aws_route_table" "public_nat" {
  count = var.nat == "none" ? 0 : 1

  vpc_id = aws_vpc.this.id
  tags   = merge(var.tags, { Name = "${var.project_name}-nat" })
}

resource "aws_route" "internet" {
  count = var.nat == "none" ? 0 : 1

  route_table_id         = aws_route_table.public_nat[0].id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this[0].id
}

resource "aws_route_table_association" "public_nat" {
  for_each = local._nat_zones

  subnet_id      = aws_subnet.public_nat[each.key].id
  route_table_id = aws_route_table.public_nat[0].id
}

resource "aws_eip" "nat" {
  for_each = local._nat_zones

  domain = "vpc"
  tags   = merge(var.tags, { Name = "${var.project_name}-nat-${each.key}" })

  # An address can be associated only in a VPC that has a gateway.
  depends_on = [aws_internet_gateway.this]
}

resource "aws_nat_gateway" "this" {
  for_each = local._nat_zones

  subnet_id     = aws_subnet.public_nat[each.key].id
  allocation_id = aws_eip.nat[each.key].id
  tags          = merge(var.tags, { Name = "${var.project_name}-${each.key}" })

  # Without the route a gateway is made, but answers nothing.
  depends_on = [aws_route.internet]
}

resource "aws_route" "nat" {
  for_each = var.nat == "none" ? {} : local._zone_index

  route_table_id         = aws_route_table.private[each.key].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[contains(keys(local._nat_zones), each.key) ? each.key : var.availability_zones[0]].id
}
