# Gateway endpoints: S3 (the layers of images, Loki's chunks) and DynamoDB, free of charge.

locals {
  # Layers are fetched by addresses that ECR has signed, packages of Amazon Linux without any signature:
  # neither has a principal of this account.
  _s3_of_aws = [{
    Sid       = "ImageLayersAndPackages"
    Effect    = "Allow"
    Principal = "*"
    Action    = "s3:GetObject"
    Resource = concat(
      [
        "arn:${data.aws_partition.current.partition}:s3:::prod-${var.region}-starport-layer-bucket/*",
        "arn:${data.aws_partition.current.partition}:s3:::al2023-${var.region}/*",
        "arn:${data.aws_partition.current.partition}:s3:::al2023-repos-${var.region}-de612dc2/*",
      ],
      # Docker Hub sends layers from a bucket in us-east-1: there they take this endpoint and not the internet.
      var.nat == "none" ? [] : ["arn:${data.aws_partition.current.partition}:s3:::docker-images-prod/*"],
    )
  }]

  _gateway_endpoints = {
    dynamodb = [local._allow_own]
    s3       = concat([local._allow_own], local._s3_of_aws)
  }
}

resource "aws_vpc_endpoint" "gateway" {
  for_each = local._gateway_endpoints

  vpc_id            = aws_vpc.this.id
  service_name      = "com.amazonaws.${var.region}.${each.key}"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = [for zone in var.availability_zones : aws_route_table.private[zone].id]

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = each.value
  })

  tags = merge(var.tags, { Name = "${var.project_name}-${each.key}" })
}
