-- outside a transaction
-- Answers to keys, by the day they are filed under (Http/KeyFile.cs): 30 days are promised, and filing may be a day early.
SELECT begin_partitions('idempotency_keys', 'created_at', 'instant', '{merchant_id, key}', 32);

SELECT validate_partitions('idempotency_keys');

SELECT end_partitions('idempotency_keys', '${app_role}');

-- Events, by the day that their ids begin with: so an id has one place, and is looked for there alone. Without the
-- subscriber, which the topic of an event tells in a service's own database.
SELECT begin_partitions('inbox_events', 'event_id', 'uuid', '{event_id}', 31);

SELECT validate_partitions('inbox_events');

SELECT end_partitions('inbox_events', '${app_role}');
