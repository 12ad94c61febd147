locals {
  # The one list of topics; who may do what with each is checked by Dapr, from what follows from it.
  events = yamldecode(file("${path.module}/../../../components/topics.yaml"))

  day = 24 * 60 * 60 * 1000
  topics_policy = merge(
    { for topic in local.events.topics : topic.name => local.events.retention_days * local.day },
    merge([
      for topic in local.events.topics : {
        for app in keys(topic.consumers) : "${topic.name}.${app}.dead-letter" => local.events.dead_letter_retention_days * local.day
      }
    ]...)
  )
  topics = toset(keys(local.topics_policy))
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
