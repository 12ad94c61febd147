locals {
  # What no administrator of an account can do either.
  scps = {
    regions = [{
      Sid    = "OutsideTheRegions"
      Effect = "Deny"
      # Services that have no region.
      NotAction = [
        "budgets:*", "ce:*", "cloudfront:*", "controltower:*", "health:*", "iam:*", "organizations:*", "route53:*",
        "route53domains:*", "shield:*", "sts:*", "support:*", "trustedadvisor:*", "waf:*",
      ]
      Resource = "*"
      Condition = {
        StringNotEquals = { "aws:RequestedRegion" = var.regions }
        ArnNotLike      = { "aws:PrincipalARN" = "arn:aws:iam::*:role/AWSControlTowerExecution" }
      }
    }]
    records = [{
      Sid    = "KeepTheRecords"
      Effect = "Deny"
      Action = [
        "cloudtrail:DeleteTrail", "cloudtrail:StopLogging", "cloudtrail:UpdateTrail", "cloudtrail:PutEventSelectors",
        "config:DeleteConfigurationRecorder", "config:DeleteDeliveryChannel", "config:StopConfigurationRecorder",
        "guardduty:DeleteDetector", "guardduty:DisassociateFromAdministratorAccount", "guardduty:UpdateDetector",
        "securityhub:DisableSecurityHub", "ec2:DeleteFlowLogs", "s3:BypassGovernanceRetention",
      ]
      Resource  = "*"
      Condition = { ArnNotLike = { "aws:PrincipalARN" = "arn:aws:iam::*:role/AWSControlTowerExecution" } }
    }]
    root = [{
      Sid       = "NobodyIsRoot"
      Effect    = "Deny"
      Action    = "*"
      Resource  = "*"
      Condition = { StringLike = { "aws:PrincipalArn" = "arn:aws:iam::*:root" } }
    }]
    baseline = [{
      Sid      = "StayInTheOrganization"
      Effect   = "Deny"
      Action   = ["organizations:LeaveOrganization", "account:CloseAccount"]
      Resource = "*"
      }, {
      Sid      = "NoUsersAndNoKeysThatLast"
      Effect   = "Deny"
      Action   = ["iam:CreateUser", "iam:CreateAccessKey", "iam:CreateLoginProfile"]
      Resource = "*"
      }, {
      Sid      = "EncryptionStaysOn"
      Effect   = "Deny"
      Action   = ["ec2:DisableEbsEncryptionByDefault", "s3:PutAccountPublicAccessBlock", "kms:DisableKeyRotation"]
      Resource = "*"
      Condition = {
        ArnNotLike = { "aws:PrincipalARN" = ["arn:aws:iam::*:role/AWSControlTowerExecution", "arn:aws:iam::*:role/TerraformCI"] }
      }
    }]
  }

  # Units that each policy holds for. The management account is beyond the reach of any.
  attachments = {
    for pair in setproduct(keys(local.scps), toset(values(local.accounts))) : "${pair[0]}-${pair[1]}" => { scp = pair[0], unit = pair[1] }
  }
}

resource "aws_organizations_policy" "scp" {
  for_each = local.scps

  name    = "localplus-${each.key}"
  type    = "SERVICE_CONTROL_POLICY"
  content = jsonencode({ Version = "2012-10-17", Statement = each.value })
}

resource "aws_organizations_policy_attachment" "scp" {
  for_each = local.attachments

  policy_id = aws_organizations_policy.scp[each.value.scp].id
  target_id = aws_organizations_organizational_unit.this[each.value.unit].id
}
