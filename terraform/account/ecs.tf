# What ECS holds for the whole account and region.

# Trunking gives an instance many more network interfaces for tasks: an m8g.xlarge carries 20 in place
# of 3. It counts for instances that start afterwards, so it stands here, before any cluster.
resource "aws_ecs_account_setting_default" "awsvpc_trunking" {
  name  = "awsvpcTrunking"
  value = "enabled"
}
