mock_provider "aws" {
  mock_resource "aws_organizations_account" {
    defaults = { id = "000000000000" }
  }
  mock_resource "aws_organizations_organization" {
    defaults = { roots = [{ id = "r-exam", arn = "", name = "Root", policy_types = [] }] }
  }
}

override_resource {
  target = aws_organizations_organizational_unit.this["Security"]
  values = { id = "ou-exam-securit0" }
}

override_resource {
  target = aws_organizations_organizational_unit.this["Infrastructure"]
  values = { id = "ou-exam-infrast0" }
}

override_resource {
  target = aws_organizations_organizational_unit.this["Workloads"]
  values = { id = "ou-exam-workloa0" }
}

variables {
  management_account_id = "000000000000"
  email_domain          = "example.com"
}

run "accounts" {
  command = apply

  assert {
    condition     = sort([for a in aws_organizations_account.this : a.name]) == tolist(["localplus-dev", "localplus-log-archive", "localplus-prod", "localplus-security", "localplus-shared-services", "localplus-staging"])
    error_message = "Six accounts beside the management account."
  }
  assert {
    condition     = length(distinct([for a in aws_organizations_account.this : a.email])) == 6
    error_message = "Each account has an address of its own."
  }
  assert {
    condition     = alltrue([for n in ["dev", "staging", "prod"] : aws_organizations_account.this[n].parent_id == aws_organizations_organizational_unit.this["Workloads"].id])
    error_message = "Workloads are in their unit."
  }
  assert {
    condition     = jsondecode(aws_controltower_landing_zone.this.manifest_json).centralizedLogging.configurations.loggingBucket.retentionDays == 365
    error_message = "CloudTrail is kept for a year."
  }
  assert {
    condition     = aws_guardduty_organization_admin_account.security.admin_account_id == aws_organizations_account.this["security"].id && aws_securityhub_organization_admin_account.security.admin_account_id == aws_organizations_account.this["security"].id
    error_message = "The security account watches all."
  }
}

run "policies" {
  command = apply

  assert {
    condition     = length(aws_organizations_policy_attachment.scp) == 4 * 3
    error_message = "Every policy holds for every unit."
  }
  assert {
    condition     = alltrue([for p in aws_organizations_policy.scp : length(p.content) < 5120])
    error_message = "AWS takes no policy of more than 5120 characters."
  }
  assert {
    condition     = alltrue(flatten([for p in aws_organizations_policy.scp : [for s in jsondecode(p.content).Statement : s.Effect == "Deny"]]))
    error_message = "Service control policies only take away."
  }
  assert {
    condition     = jsondecode(aws_organizations_policy.scp["regions"].content).Statement[0].Condition.StringNotEquals["aws:RequestedRegion"] == ["eu-west-1"]
    error_message = "Nothing runs outside the EU."
  }
  assert {
    condition     = contains(jsondecode(aws_organizations_policy.scp["records"].content).Statement[0].Action, "cloudtrail:StopLogging") && contains(jsondecode(aws_organizations_policy.scp["baseline"].content).Statement[1].Action, "iam:CreateAccessKey")
    error_message = "Nobody stops the records or makes keys that last."
  }
}

run "refuses_another_continent" {
  command = plan

  variables {
    regions = ["eu-west-1", "us-east-1"]
  }
  expect_failures = [var.regions]
}
