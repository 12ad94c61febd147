resource "aiven_valkey" "this" {
  project                 = var.project
  cloud_name              = var.cloud
  project_vpc_id          = aiven_project_vpc.this.id
  plan                    = var.plans.valkey
  service_name            = "localplus-valkey-${var.environment}"
  maintenance_window_dow  = "thursday"
  maintenance_window_time = "03:00:00"
  termination_protection  = var.protected

  valkey_user_config {
    ip_filter          = [var.aws.vpc_cidr]
    valkey_ssl         = true
    valkey_persistence = "rdb"
    # Task queues live here: what is full refuses, it does not forget.
    valkey_maxmemory_policy = "noeviction"

    public_access {
      valkey     = false
      prometheus = false
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

resource "aiven_valkey_user" "sidecars" {
  project               = var.project
  service_name          = aiven_valkey.this.service_name
  username              = "dapr"
  valkey_acl_categories = ["+@all", "-@admin", "-@dangerous"]
  valkey_acl_commands   = ["+info"]
  valkey_acl_keys       = ["*"]
  valkey_acl_channels   = ["*"]
}
