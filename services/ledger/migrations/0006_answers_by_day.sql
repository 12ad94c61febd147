-- outside a transaction
-- Answers, by the day they are filed under (Http/KeyFile.cs of LocalPlus.Hosting): 30 days are promised, and filing may be a
-- day early.
SELECT begin_partitions('answers', 'created_at', 'instant', '{answer_id}', 32);

SELECT validate_partitions('answers');

SELECT end_partitions('answers', '${app_role}');
