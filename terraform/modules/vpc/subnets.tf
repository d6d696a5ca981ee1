# One private subnet and one route table for each availability zone.

locals {
  _zone_index = { for index, zone in var.availability_zones : zone => index }
}

resource "aws_subnet" "private" {
  for_each = local._zone_index

  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = cidrsubnet(var.vpc_cidr, 4, each.value)

  tags = merge(var.tags, { Name = "${var.project_name}-private-${each.key}" })
}

# A table for each zone even where all of them have the same route, so that another `nat` changes
# routes and never an association: a subnet without its association has no way out while it moves.
resource "aws_route_table" "private" {
  for_each = local._zone_index

  vpc_id = aws_vpc.this.id
  tags   = merge(var.tags, { Name = "${var.project_name}-private-${each.key}" })
}

resource "aws_route_table_association" "private" {
  for_each = local._zone_index

  subnet_id      = aws_subnet.private[each.key].id
  route_table_id = aws_route_table.private[each.key].id
}
