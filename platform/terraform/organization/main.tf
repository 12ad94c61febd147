locals {
  # Every account but the management account, with the unit that it is in.
  accounts = {
    security        = "Security"
    log-archive     = "Security"
    shared-services = "Infrastructure"
    dev             = "Workloads"
    staging         = "Workloads"
    prod            = "Workloads"
  }
}

resource "aws_organizations_organization" "this" {
  feature_set          = "ALL"
  enabled_policy_types = ["SERVICE_CONTROL_POLICY"]

  aws_service_access_principals = [
    "cloudtrail.amazonaws.com", "config.amazonaws.com", "controltower.amazonaws.com", "guardduty.amazonaws.com",
    "ram.amazonaws.com", "securityhub.amazonaws.com", "sso.amazonaws.com",
  ]

  lifecycle {
    prevent_destroy = true
  }
}

resource "aws_organizations_organizational_unit" "this" {
  for_each = toset(values(local.accounts))

  name      = each.key
  parent_id = aws_organizations_organization.this.roots[0].id
}

resource "aws_organizations_account" "this" {
  for_each = local.accounts

  name              = "localplus-${each.key}"
  email             = "aws-${each.key}@${var.email_domain}"
  parent_id         = aws_organizations_organizational_unit.this[each.value].id
  close_on_deletion = false

  lifecycle {
    prevent_destroy = true
    # Who once created it cannot be asked again.
    ignore_changes = [role_name, iam_user_access_to_billing]
  }
}

# CloudTrail and Config of all accounts go to the log archive, people come through Identity Center.
resource "aws_controltower_landing_zone" "this" {
  version = "3.3"

  manifest_json = jsonencode({
    governedRegions       = var.regions
    organizationStructure = { security = { name = "Security" } }
    centralizedLogging = {
      accountId = aws_organizations_account.this["log-archive"].id
      enabled   = true
      configurations = {
        loggingBucket       = { retentionDays = var.log_retention_days }
        accessLoggingBucket = { retentionDays = var.log_retention_days }
      }
    }
    securityRoles    = { accountId = aws_organizations_account.this["security"].id }
    accessManagement = { enabled = true }
  })
}

resource "aws_guardduty_organization_admin_account" "security" {
  admin_account_id = aws_organizations_account.this["security"].id
  depends_on       = [aws_organizations_organization.this]
}

resource "aws_securityhub_organization_admin_account" "security" {
  admin_account_id = aws_organizations_account.this["security"].id
  depends_on       = [aws_organizations_organization.this]
}
