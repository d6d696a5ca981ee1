# Image repositories, shared by all environments: what was tested in one is what runs in the next.

resource "aws_ecr_repository" "this" {
  for_each = var.image_repositories

  name                 = each.key
  image_tag_mutability = "IMMUTABLE" # a task that starts next month runs what its task definition meant
  force_delete         = false

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = var.kms_key_arn == null ? "AES256" : "KMS"
    kms_key         = var.kms_key_arn
  }

  tags = { Name = each.key }
}

# Tagged images stay: a rollback may ask for any of them. Untagged ones are what pushes that failed leave;
# ECR spares those that a tagged index of several platforms refers to.
resource "aws_ecr_lifecycle_policy" "this" {
  for_each = var.image_repositories

  repository = aws_ecr_repository.this[each.key].name

  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "The last 10 untagged images"
      selection = {
        tagStatus   = "untagged"
        countType   = "imageCountMoreThan"
        countNumber = 10
      }
      action = { type = "expire" }
    }]
  })
}
