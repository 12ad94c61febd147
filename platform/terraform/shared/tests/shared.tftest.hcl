mock_provider "aws" {
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-west-1:000000000000:key/00000000-0000-0000-0000-000000000000" }
  }
  mock_resource "aws_ec2_transit_gateway" {
    defaults = { arn = "arn:aws:ec2:eu-west-1:000000000000:transit-gateway/tgw-00000000000000000" }
  }
  mock_resource "aws_ram_resource_share" {
    defaults = { arn = "arn:aws:ram:eu-west-1:000000000000:resource-share/00000000-0000-0000-0000-000000000000" }
  }
}

variables {
  account_id       = "000000000000"
  organization_id  = "o-example0000"
  organization_arn = "arn:aws:organizations::000000000000:organization/o-example0000"
}

run "images" {
  command = apply

  assert {
    condition     = alltrue([for r in aws_ecr_repository.this : r.image_tag_mutability == "IMMUTABLE" && r.image_scanning_configuration[0].scan_on_push && r.encryption_configuration[0].encryption_type == "KMS"])
    error_message = "Images are scanned, encrypted, and a tag is for good."
  }
  assert {
    condition     = sort(keys(aws_ecr_repository.this)) == tolist(["svc-analytics", "svc-console", "svc-giftcard", "svc-ledger", "svc-merchant", "svc-notification", "svc-wallet"])
    error_message = "One repository for each thing that is built."
  }
  assert {
    condition     = alltrue([for p in aws_ecr_repository_policy.this : jsondecode(p.policy).Statement[0].Condition.StringEquals["aws:PrincipalOrgID"] == "o-example0000" && !contains(jsondecode(p.policy).Statement[0].Action, "ecr:PutImage")])
    error_message = "The organization pulls, and only the release pushes."
  }
}

run "hub" {
  command = apply

  assert {
    condition     = aws_ec2_transit_gateway.hub.default_route_table_association == "disable" && aws_ec2_transit_gateway.hub.auto_accept_shared_attachments == "disable" && !aws_ram_resource_share.hub.allow_external_principals
    error_message = "dev does not reach prod because both are attached."
  }
}
