output "peering_connection_id" {
  description = "aiven_peering_connection_id of foundation, for its second run."
  value       = aiven_aws_vpc_peering_connection.this.aws_vpc_peering_connection_id
}

output "postgresql" {
  description = "Host and port of the primary, for vault."
  value       = { host = aiven_pg.this.service_host, port = aiven_pg.this.service_port }
}

output "kafka" {
  description = "The entry `kafka` in Vault: brokers, certificate and key of the sidecars."
  sensitive   = true
  value = {
    brokers     = "${aiven_kafka.this.service_host}:${aiven_kafka.this.service_port}"
    client_cert = aiven_kafka_user.sidecars.access_cert
    client_key  = aiven_kafka_user.sidecars.access_key
  }
}

output "valkey" {
  description = "The entry `components` in Vault."
  sensitive   = true
  value = {
    valkey_host     = "${aiven_valkey.this.service_host}:${aiven_valkey.this.service_port}"
    valkey_user     = aiven_valkey_user.sidecars.username
    valkey_password = aiven_valkey_user.sidecars.password
  }
}
