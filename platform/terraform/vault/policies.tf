locals {
  # Entries of secret/localplus that every sidecar needs for its components, and those that one service's sidecar does.
  shared = ["components", "kafka"]
  scoped = { notification = ["sms"] }

  # What a sidecar may read. A migration has its own entry and never the service's; the service never the owner's.
  sidecars = merge(
    { for s in var.services : s => { entries = concat([s], local.shared, lookup(local.scoped, s, [])), database = ["database/static-creds/${s}"] } },
    { for s in var.services : "${s}-migrate" => { entries = concat(["${s}-migrations"], local.shared), database = ["database/creds/${s}-migrations"] } },
  )
}

resource "vault_policy" "sidecar" {
  for_each = local.sidecars

  name = each.key
  policy = join("\n", concat(
    [for entry in each.value.entries : "path \"secret/data/localplus/${entry}\" {\n  capabilities = [\"read\"]\n}\n"],
    [for path in each.value.database : "path \"${path}\" {\n  capabilities = [\"read\"]\n}\n"],
  ))
}

# External Secrets brings what Kubernetes itself needs (policies/external-secrets), no secret of a service.
resource "vault_policy" "external_secrets" {
  name   = "external-secrets"
  policy = <<-EOT
    path "secret/data/platform/*" {
      capabilities = ["read"]
    }
  EOT
}

# The pipeline changes what is here, and reads no secret.
resource "vault_policy" "terraform" {
  name   = "terraform"
  policy = <<-EOT
    path "sys/mounts/*" {
      capabilities = ["create", "read", "update"]
    }
    path "sys/policies/acl/*" {
      capabilities = ["create", "read", "update", "delete"]
    }
    path "sys/auth/*" {
      capabilities = ["create", "read", "update", "sudo"]
    }
    path "sys/audit/*" {
      capabilities = ["create", "read", "update", "sudo"]
    }
    path "sys/quotas/*" {
      capabilities = ["create", "read", "update", "delete"]
    }
    path "auth/kubernetes/config" {
      capabilities = ["create", "read", "update"]
    }
    path "auth/kubernetes/role/*" {
      capabilities = ["create", "read", "update", "delete"]
    }
    path "database/config/*" {
      capabilities = ["create", "read", "update", "delete"]
    }
    path "database/roles/*" {
      capabilities = ["create", "read", "update", "delete"]
    }
    path "database/static-roles/*" {
      capabilities = ["create", "read", "update", "delete"]
    }
    path "secret/config" {
      capabilities = ["create", "read", "update"]
    }
  EOT
}
