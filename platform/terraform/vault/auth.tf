resource "vault_auth_backend" "kubernetes" {
  type = "kubernetes"
  path = "kubernetes"
}

resource "vault_kubernetes_auth_backend_config" "this" {
  backend         = vault_auth_backend.kubernetes.path
  kubernetes_host = "https://kubernetes.default.svc"
  issuer          = var.kubernetes_issuer
}

# Who a pod is says its service account, and each account opens one policy.
resource "vault_kubernetes_auth_backend_role" "sidecar" {
  for_each = local.sidecars

  backend                          = vault_auth_backend.kubernetes.path
  role_name                        = each.key
  bound_service_account_names      = ["svc-${each.key}"]
  bound_service_account_namespaces = [var.namespace]
  token_policies                   = [vault_policy.sidecar[each.key].name]
  token_no_default_policy          = false
  token_ttl                        = 3600
  token_max_ttl                    = endswith(each.key, "-migrate") ? 3600 : 0
  token_period                     = endswith(each.key, "-migrate") ? 0 : 3600
  audience                         = "vault"
}

resource "vault_kubernetes_auth_backend_role" "external_secrets" {
  backend                          = vault_auth_backend.kubernetes.path
  role_name                        = "external-secrets"
  bound_service_account_names      = ["external-secrets"]
  bound_service_account_namespaces = ["external-secrets"]
  token_policies                   = [vault_policy.external_secrets.name]
  token_ttl                        = 600
  token_max_ttl                    = 3600
  audience                         = "vault"
}

output "policies" {
  description = "Policy text by name."
  value       = merge({ for name, p in vault_policy.sidecar : name => p.policy }, { external-secrets = vault_policy.external_secrets.policy })
}
