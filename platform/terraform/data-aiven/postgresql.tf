locals {
  # A database each: no service can read or join another's tables. `workflows` is Dapr's (components/clouds/aiven-aws/workflowstore).
  databases = ["ledger", "wallet", "merchant", "giftcard", "notification", "analytics", "console", "workflows"]
}

resource "aiven_pg" "this" {
  project                 = var.project
  cloud_name              = var.cloud
  project_vpc_id          = aiven_project_vpc.this.id
  plan                    = var.plans.pg
  service_name            = "localplus-pg-${var.environment}"
  maintenance_window_dow  = "tuesday"
  maintenance_window_time = "03:00:00"
  termination_protection  = var.protected

  pg_user_config {
    pg_version              = "17"
    ip_filter               = [var.aws.vpc_cidr]
    backup_interval_hours   = 1
    backup_retention_days   = 7
    synchronous_replication = "quorum"
    service_log             = true

    public_access {
      pg         = false
      pgbouncer  = false
      prometheus = false
    }

    pgbouncer {
      autodb_pool_mode          = "transaction"
      min_pool_size             = 0
      server_reset_query_always = false
    }
  }

  tag {
    key   = "project"
    value = "localplus"
  }
  tag {
    key   = "environment"
    value = var.environment
  }
}

resource "aiven_pg" "replica" {
  count = var.replica ? 1 : 0

  project                = var.project
  cloud_name             = var.cloud
  project_vpc_id         = aiven_project_vpc.this.id
  plan                   = var.plans.pg
  service_name           = "localplus-pg-${var.environment}-replica"
  termination_protection = var.protected

  pg_user_config {
    pg_version = "17"
    ip_filter  = [var.aws.vpc_cidr]

    public_access {
      pg         = false
      pgbouncer  = false
      prometheus = false
    }
  }

  service_integrations {
    integration_type    = "read_replica"
    source_service_name = aiven_pg.this.service_name
  }

  tag {
    key   = "project"
    value = "localplus"
  }
  tag {
    key   = "environment"
    value = var.environment
  }
}

resource "aiven_pg_database" "this" {
  for_each = toset(local.databases)

  project                = var.project
  service_name           = aiven_pg.this.service_name
  database_name          = each.key
  termination_protection = var.protected
}

# The owner of a schema, for migrations alone, and the role that the running service has. Vault sets both passwords.
resource "aiven_pg_user" "owner" {
  for_each = toset(local.databases)

  project      = var.project
  service_name = aiven_pg.this.service_name
  username     = "${each.key}_owner"
}

resource "aiven_pg_user" "app" {
  for_each = toset(local.databases)

  project      = var.project
  service_name = aiven_pg.this.service_name
  username     = "${each.key}_app"
}

resource "aiven_connection_pool" "this" {
  for_each = toset(local.databases)

  project       = var.project
  service_name  = aiven_pg.this.service_name
  database_name = aiven_pg_database.this[each.key].database_name
  pool_name     = "${each.key}-pool"
  pool_mode     = "transaction"
  pool_size     = 20
  username      = aiven_pg_user.app[each.key].username
}
