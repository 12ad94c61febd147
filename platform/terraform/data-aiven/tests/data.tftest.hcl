mock_provider "aiven" {}

variables {
  environment  = "prod"
  project      = "localplus-prod"
  network_cidr = "10.100.0.0/24"
  aws          = { account_id = "000000000000", vpc_id = "vpc-00000000000000000", vpc_cidr = "10.0.0.0/16" }
  plans        = { pg = "business-4", kafka = "business-4", valkey = "business-4" }
  replica      = true
  kafka        = { replication = 3, min_insync = 2, partitions = 12 }
}

run "nobody_from_the_internet" {
  command = apply

  assert {
    condition     = alltrue([for s in [aiven_pg.this, aiven_pg.replica[0], aiven_kafka.this, aiven_valkey.this] : s.project_vpc_id == aiven_project_vpc.this.id])
    error_message = "Without a VPC a service stands on the internet."
  }
  assert {
    condition     = alltrue([for filter in [aiven_pg.this.pg_user_config[0].ip_filter, aiven_pg.replica[0].pg_user_config[0].ip_filter, aiven_kafka.this.kafka_user_config[0].ip_filter, aiven_valkey.this.valkey_user_config[0].ip_filter] : toset(filter) == toset(["10.0.0.0/16"])])
    error_message = "Only our VPC is let in."
  }
  assert {
    condition     = !aiven_pg.this.pg_user_config[0].public_access[0].pg && !aiven_kafka.this.kafka_user_config[0].public_access[0].kafka && !aiven_valkey.this.valkey_user_config[0].public_access[0].valkey && aiven_valkey.this.valkey_user_config[0].valkey_ssl
    error_message = "No public access, and TLS."
  }
}

run "backups" {
  command = apply

  assert {
    condition     = aiven_pg.this.pg_user_config[0].backup_interval_hours == 1 && aiven_pg.this.pg_user_config[0].backup_retention_days == 7
    error_message = "The seed: every hour, kept for 7 days."
  }
  assert {
    condition     = alltrue([for s in [aiven_pg.this, aiven_kafka.this, aiven_valkey.this] : s.termination_protection]) && alltrue([for d in aiven_pg_database.this : d.termination_protection]) && alltrue([for t in aiven_kafka_topic.this : t.termination_protection])
    error_message = "Nobody deletes money by mistake."
  }
  assert {
    condition     = one(aiven_pg.replica[0].service_integrations).integration_type == "read_replica" && aiven_pg.this.plan == "business-4"
    error_message = "The seed: Business-4, primary and read replica."
  }
}

run "topics" {
  command = apply

  assert {
    condition     = alltrue([for t in ["ledger.transactions.v1", "wallet.balance-updated.v1", "merchant.onboarded.v1"] : aiven_kafka_topic.this[t].config[0].retention_ms == "604800000" && aiven_kafka_topic.this[t].replication == 3 && aiven_kafka_topic.this[t].config[0].min_insync_replicas == "2"])
    error_message = "The seed's topics keep 7 days, three copies, two of which must have a record."
  }
  assert {
    condition     = alltrue([for name, t in aiven_kafka_topic.this : t.config[0].retention_ms == "1209600000" && t.partitions == 1 if endswith(name, ".dead-letter")])
    error_message = "Dead letters keep 14 days."
  }
  assert {
    condition     = toset([for a in aiven_kafka_acl.sidecars : a.topic]) == toset(keys(aiven_kafka_topic.this)) && !anytrue([for a in aiven_kafka_acl.sidecars : strcontains(a.topic, "*") || a.permission == "admin"])
    error_message = "The sidecars have these topics and no other."
  }
  assert {
    condition     = !aiven_kafka.this.default_acl && !aiven_kafka.this.kafka_user_config[0].kafka[0].auto_create_topics_enable && !aiven_kafka.this.kafka_user_config[0].kafka_authentication_methods[0].sasl
    error_message = "No topic by accident, no ACL that allows all, certificates alone."
  }
}

run "databases" {
  command = apply

  assert {
    condition     = length(aiven_pg_database.this) == 8 && alltrue([for k, p in aiven_connection_pool.this : p.pool_mode == "transaction" && p.username == "${k}_app"])
    error_message = "A database and a pool each; the pool is the service's role, never the owner's."
  }
}

run "refuses_topics_that_stop_with_a_broker" {
  command = plan

  variables {
    kafka = { replication = 2, min_insync = 2, partitions = 3 }
  }
  expect_failures = [var.kafka]
}

run "refuses_another_continent" {
  command = plan

  variables {
    cloud = "aws-us-east-1"
  }
  expect_failures = [var.cloud]
}
