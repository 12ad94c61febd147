-- Batches that are being made: from this release on a task makes them, beside the previous release's maker, which takes the same
-- rows under the same lock.
INSERT INTO tasks (task_id, queue, kind, merchant_id, dedup_key, payload, state, due_at, created_at)
SELECT gen_random_uuid(), 'low', 'gift_card_batch', merchant_id, batch_id::text, jsonb_build_object('batch_id', batch_id), 'waiting',
       due_at, created_at
  FROM card_batches
 WHERE due_at IS NOT NULL;
