# Roles by which AWS services act in the account. An account has each of them once, whatever the region.

resource "aws_iam_service_linked_role" "this" {
  for_each = var.service_linked_roles

  aws_service_name = each.key
}
