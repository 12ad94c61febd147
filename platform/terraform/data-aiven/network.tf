resource "aiven_project_vpc" "this" {
  project      = var.project
  cloud_name   = var.cloud
  network_cidr = var.network_cidr
}

# AWS's side is accepted by foundation, on its second run.
resource "aiven_aws_vpc_peering_connection" "this" {
  vpc_id         = aiven_project_vpc.this.id
  aws_account_id = var.aws.account_id
  aws_vpc_id     = var.aws.vpc_id
  aws_vpc_region = var.aws.region
}
