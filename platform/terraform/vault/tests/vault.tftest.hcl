mock_provider "vault" {}

variables {
  environment       = "prod"
  kubernetes_issuer = "https://oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLE"
  postgresql        = { host = "pg.example.com", port = 12691 }
  postgresql_admin  = { username = "avnadmin", password = "example" }
}

run "policies" {
  command = apply

  assert {
    condition     = length(vault_policy.sidecar) == 14
    error_message = "A policy for each service and for each migration."
  }
  assert {
    condition     = alltrue([for name, p in vault_policy.sidecar : !strcontains(p.policy, "*") && !strcontains(p.policy, "+") && !can(regex("create|update|delete|list|sudo", replace(p.policy, name, "")))])
    error_message = "A sidecar reads what is named, by its whole name, and nothing else."
  }
  assert {
    condition = alltrue(flatten([
      for name, p in vault_policy.sidecar : [
        for other in var.services : !strcontains(p.policy, "localplus/${other}\"") || name == other
      ]
    ]))
    error_message = "Only a service reads its own entry."
  }
  assert {
    condition     = alltrue([for s in var.services : !strcontains(vault_policy.sidecar[s].policy, "${s}-migrations") && !strcontains(vault_policy.sidecar["${s}-migrate"].policy, "static-creds")])
    error_message = "The owner of a schema is the migration's alone."
  }
  assert {
    condition     = !strcontains(vault_policy.external_secrets.policy, "localplus") && !strcontains(vault_policy.terraform.policy, "secret/data")
    error_message = "Neither External Secrets nor the pipeline reads a service's secret."
  }
}

run "identities" {
  command = apply

  assert {
    condition     = alltrue([for name, r in vault_kubernetes_auth_backend_role.sidecar : r.bound_service_account_names == tolist(["svc-${name}"]) && r.bound_service_account_namespaces == tolist(["localplus"]) && r.token_policies == tolist([name])])
    error_message = "One service account, one policy."
  }
  assert {
    condition     = alltrue([for s in var.services : vault_kubernetes_auth_backend_role.sidecar[s].token_period == 3600 && vault_kubernetes_auth_backend_role.sidecar["${s}-migrate"].token_max_ttl == 3600])
    error_message = "A service's token is renewed in place for as long as it runs; a migration's ends with it."
  }
}

run "database" {
  command = apply

  assert {
    condition     = alltrue([for k, r in vault_database_secret_backend_static_role.app : r.rotation_period == 3600 && r.username == "${k}_app"])
    error_message = "Passwords of services change every hour."
  }
  assert {
    condition     = alltrue([for r in vault_database_secret_backend_role.migrations : r.default_ttl == 3600 && r.max_ttl == 86400])
    error_message = "A migration's role lives an hour, a day at most."
  }
  assert {
    condition     = alltrue([for k, c in vault_database_secret_backend_connection.this : endswith(c.postgresql[0].connection_url, "/${k}?sslmode=verify-full") && toset(c.allowed_roles) == toset([k, "${k}-migrations"])])
    error_message = "Each connection serves its own database, by TLS with a checked name."
  }
}

run "recorded" {
  command = apply

  assert {
    condition     = vault_audit.file.options.log_raw == "false" && vault_kv_secret_backend_v2.secret.max_versions == 10
    error_message = "Every access is recorded without its secret; a key's last ten versions stay."
  }
}

run "refuses_passwords_that_last" {
  command = plan

  variables {
    rotation_seconds = 604800
  }
  expect_failures = [var.rotation_seconds]
}
