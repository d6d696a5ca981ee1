# The default routes stand inside the flat route tables and are resources of their own here: what is there is
# imported, as AWS refuses a second one. The tables are found by their subnets, which both layouts have.

data "aws_subnet" "flat" {
  for_each = {
    private = cidrsubnet(var.vpc_cidr, 4, 0)
    public  = cidrsubnet(var.vpc_cidr, 8, 255)
  }

  vpc_id     = module.temporal.vpc_id
  cidr_block = each.value
}

data "aws_route_table" "flat" {
  for_each = data.aws_subnet.flat

  subnet_id = each.value.id
}

import {
  to = module.temporal.module.vpc[0].aws_route.nat["eu-west-1a"]
  id = "${data.aws_route_table.flat["private"].id}_0.0.0.0/0"
}

import {
  to = module.temporal.module.vpc[0].aws_route.internet[0]
  id = "${data.aws_route_table.flat["public"].id}_0.0.0.0/0"
}
