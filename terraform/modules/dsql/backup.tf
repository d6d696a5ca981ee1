# Copies of the cluster by AWS Backup: against mistakes, which replication repeats in every zone.

locals {
  _backup = var.backup.enabled ? 1 : 0
}

resource "aws_backup_vault" "this" {
  count = local._backup

  name        = "${var.project_name}-dsql"
  kms_key_arn = var.backup.vault_kms_key_arn
  tags        = merge(var.tags, { Name = "${var.project_name}-dsql" })
}

resource "aws_backup_plan" "this" {
  count = local._backup

  name = "${var.project_name}-dsql"
  tags = var.tags

  rule {
    rule_name         = "scheduled"
    target_vault_name = aws_backup_vault.this[0].name
    schedule          = var.backup.schedule

    lifecycle {
      delete_after = var.backup.retention_days
    }
  }
}

resource "aws_backup_selection" "this" {
  count = local._backup

  name         = "dsql"
  plan_id      = aws_backup_plan.this[0].id
  iam_role_arn = aws_iam_role.backup[0].arn
  resources    = [local._arn]

  depends_on = [aws_iam_role_policy_attachment.backup]
}

resource "aws_iam_role" "backup" {
  count = local._backup

  name                 = "${var.project_name}-dsql-backup"
  description          = "AWS Backup copies the DSQL cluster of ${var.project_name}"
  permissions_boundary = var.permissions_boundary_arn

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "backup.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
    }]
  })

  tags = var.tags
}

# Without the policy for restores: whoever restores does so with a role of the moment.
resource "aws_iam_role_policy_attachment" "backup" {
  count = local._backup

  role       = aws_iam_role.backup[0].name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AWSBackupServiceRolePolicyForBackup"
}
