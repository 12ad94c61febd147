output "accounts" {
  description = "Account ids by name, for TF_VAR_account_id of the other roots."
  value       = { for name, account in aws_organizations_account.this : name => account.id }
}

output "organization_id" {
  description = "For TF_VAR_organization_id."
  value       = aws_organizations_organization.this.id
}
