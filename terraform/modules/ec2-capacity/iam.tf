# What an instance may do: register with ECS, and open a shell. Tasks have roles of their own.

locals {
  _managed_policies = concat(
    ["service-role/AmazonEC2ContainerServiceforEC2Role"],
    var.session_manager_enabled ? ["AmazonSSMManagedInstanceCore"] : [],
  )
}

resource "aws_iam_role" "instance" {
  name                 = "${local._name}-instance"
  description          = "Instances of ${local._name}"
  permissions_boundary = var.permissions_boundary_arn

  # Without aws:SourceAccount: no document says that EC2 passes it when it fetches the credentials of an
  # instance profile, and without credentials no instance joins. PassRole guards this role.
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "ec2.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })

  tags = var.tags
}

resource "aws_iam_role_policy_attachment" "instance" {
  for_each = toset(local._managed_policies)

  role       = aws_iam_role.instance.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/${each.key}"
}

resource "aws_iam_instance_profile" "this" {
  name = "${local._name}-instance"
  role = aws_iam_role.instance.name
  tags = var.tags

  # An instance that starts before its role has policies fails to register and is not asked again.
  depends_on = [aws_iam_role_policy_attachment.instance]
}
