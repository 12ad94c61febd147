locals {
  # The component that the sidecars load is the one list of topics; who may do what with each is checked by Dapr from it.
  pubsub = {
    for item in yamldecode(file("${path.module}/../../../components/clouds/aiven-aws/pubsub.yaml")).spec.metadata :
    item.name => try(item.value, "") if try(item.value, "") != ""
  }
  topics = toset([for topic in split(",", local.pubsub.allowedTopics) : trimspace(topic)])

  day           = 24 * 60 * 60 * 1000
  retention     = 7 * local.day
  dead_letters  = 14 * local.day
  topics_policy = { for t in local.topics : t => endswith(t, ".dead-letter") ? local.dead_letters : local.retention }
}

resource "aiven_kafka" "this" {
  project                 = var.project
  cloud_name              = var.cloud
  project_vpc_id          = aiven_project_vpc.this.id
  plan                    = var.plans.kafka
  service_name            = "localplus-kafka-${var.environment}"
  default_acl             = false
  maintenance_window_dow  = "wednesday"
  maintenance_window_time = "03:00:00"
  termination_protection  = var.protected

  kafka_user_config {
    kafka_version   = "3.9"
    ip_filter       = [var.aws.vpc_cidr]
    kafka_rest      = false
    schema_registry = false

    kafka {
      auto_create_topics_enable  = false
      default_replication_factor = var.kafka.replication
      min_insync_replicas        = var.kafka.min_insync
    }

    kafka_authentication_methods {
      certificate = true
      sasl        = false
    }

    public_access {
      kafka         = false
      kafka_connect = false
      kafka_rest    = false
      prometheus    = false
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

resource "aiven_kafka_topic" "this" {
  for_each = local.topics_policy

  project                = var.project
  service_name           = aiven_kafka.this.service_name
  topic_name             = each.key
  partitions             = endswith(each.key, ".dead-letter") ? 1 : var.kafka.partitions
  replication            = var.kafka.replication
  termination_protection = var.protected

  config {
    retention_ms                   = tostring(each.value)
    min_insync_replicas            = tostring(var.kafka.min_insync)
    cleanup_policy                 = "delete"
    unclean_leader_election_enable = false
  }
}

# The sidecars share one component, so one certificate; Dapr's scopes divide the topics among them. Beyond these topics it
# opens nothing.
resource "aiven_kafka_user" "sidecars" {
  project      = var.project
  service_name = aiven_kafka.this.service_name
  username     = "dapr-pubsub"
}

resource "aiven_kafka_acl" "sidecars" {
  for_each = local.topics

  project      = var.project
  service_name = aiven_kafka.this.service_name
  username     = aiven_kafka_user.sidecars.username
  topic        = aiven_kafka_topic.this[each.key].topic_name
  permission   = "readwrite"
}
