# What the services' sidecars read (components/clouds/aiven-aws/secretstore.yaml): secret/localplus/<entry>.
resource "vault_mount" "secret" {
  path        = "secret"
  type        = "kv"
  options     = { version = "2" }
  description = "Secrets of services and the platform, by version"
}

resource "vault_kv_secret_backend_v2" "secret" {
  mount                = vault_mount.secret.path
  max_versions         = 10
  delete_version_after = 7776000
}

resource "vault_mount" "database" {
  path                      = "database"
  type                      = "database"
  default_lease_ttl_seconds = 3600
  max_lease_ttl_seconds     = 86400
  description               = "Passwords that Vault sets in PostgreSQL"
}

resource "vault_audit" "file" {
  type = "file"
  path = "stdout"

  # Every request and answer, secrets as keyed hashes, into the container's log and from there into the audit stream.
  options = { file_path = "stdout", log_raw = "false" }
}

resource "vault_quota_rate_limit" "all" {
  name     = "all"
  path     = ""
  rate     = 500
  interval = 1
}
