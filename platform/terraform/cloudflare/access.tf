locals {
  applications = { for a in yamldecode(file("${path.module}/policies/access-policies.yaml")) : a.name => a }
}

resource "cloudflare_zero_trust_access_identity_provider" "github" {
  account_id = var.account_id
  name       = "GitHub"
  type       = "github"

  config = {
    client_id     = var.github.client_id
    client_secret = var.github_client_secret
  }
}

resource "cloudflare_zero_trust_access_policy" "this" {
  for_each = local.applications

  account_id       = var.account_id
  name             = each.key
  decision         = "allow"
  session_duration = each.value.session

  include = [{
    github_organization = {
      identity_provider_id = cloudflare_zero_trust_access_identity_provider.github.id
      name                 = var.github.organization
      team                 = each.value.who == "admins" ? var.github.admins : var.github.team
    }
  }]

  require = each.value.mfa ? [{ auth_method = { auth_method = "mfa" } }] : []
}

resource "cloudflare_zero_trust_access_application" "this" {
  for_each = local.applications

  account_id                 = var.account_id
  name                       = each.key
  type                       = "self_hosted"
  domain                     = "${each.value.host}.${var.domain}${each.value.path}"
  session_duration           = each.value.session
  allowed_idps               = [cloudflare_zero_trust_access_identity_provider.github.id]
  auto_redirect_to_identity  = true
  app_launcher_visible       = false
  http_only_cookie_attribute = true
  same_site_cookie_attribute = "strict"
  policies                   = [{ id = cloudflare_zero_trust_access_policy.this[each.key].id, precedence = 1 }]
}
