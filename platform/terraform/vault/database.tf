locals {
  databases = concat(var.services, ["workflows"])
}

resource "vault_database_secret_backend_connection" "this" {
  for_each = toset(local.databases)

  backend           = vault_mount.database.path
  name              = each.key
  verify_connection = true
  allowed_roles     = [each.key, "${each.key}-migrations"]

  postgresql {
    connection_url          = "postgres://{{username}}:{{password}}@${var.postgresql.host}:${var.postgresql.port}/${each.key}?sslmode=verify-full"
    username                = var.postgresql_admin.username
    password                = var.postgresql_admin.password
    password_authentication = "scram-sha-256"
    max_open_connections    = 2
  }
}

# The service keeps its role and gets a new password, so that what it owns and what is granted to it stays.
resource "vault_database_secret_backend_static_role" "app" {
  for_each = toset(local.databases)

  backend         = vault_mount.database.path
  name            = each.key
  db_name         = vault_database_secret_backend_connection.this[each.key].name
  username        = "${each.key}_app"
  rotation_period = var.rotation_seconds
}

# A migration is a role that lives an hour and acts as the owner of the schema.
resource "vault_database_secret_backend_role" "migrations" {
  for_each = toset(local.databases)

  backend     = vault_mount.database.path
  name        = "${each.key}-migrations"
  db_name     = vault_database_secret_backend_connection.this[each.key].name
  default_ttl = 3600
  max_ttl     = 86400

  creation_statements = [
    "CREATE ROLE \"{{name}}\" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}' IN ROLE \"${each.key}_owner\";",
    "ALTER ROLE \"{{name}}\" SET ROLE \"${each.key}_owner\";",
  ]
  revocation_statements = [
    "REASSIGN OWNED BY \"{{name}}\" TO \"${each.key}_owner\";",
    "DROP ROLE IF EXISTS \"{{name}}\";",
  ]
}
