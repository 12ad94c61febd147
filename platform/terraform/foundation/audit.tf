resource "aws_flow_log" "vpc" {
  vpc_id                   = aws_vpc.this.id
  traffic_type             = "ALL"
  log_destination_type     = "s3"
  log_destination          = aws_s3_bucket.this["audit"].arn
  max_aggregation_interval = 600

  destination_options {
    file_format        = "parquet"
    per_hour_partition = true
  }

  depends_on = [aws_s3_bucket_policy.this]
}

# The cluster's audit log leaves CloudWatch at once for the bucket in which nobody can delete it.
resource "aws_iam_role" "audit_delivery" {
  name = "${local.name}-audit-delivery"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "firehose.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "sts:ExternalId" = var.account_id } }
    }]
  })
}

resource "aws_iam_role_policy" "audit_delivery" {
  name = "deliver"
  role = aws_iam_role.audit_delivery.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["s3:PutObject", "s3:AbortMultipartUpload"]
      Resource = "${aws_s3_bucket.this["audit"].arn}/kubernetes/*"
      }, {
      Effect   = "Allow"
      Action   = ["s3:ListBucket", "s3:GetBucketLocation"]
      Resource = aws_s3_bucket.this["audit"].arn
      }, {
      Effect   = "Allow"
      Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource = aws_kms_key.this["s3"].arn
    }]
  })
}

resource "aws_kinesis_firehose_delivery_stream" "audit" {
  name        = "${local.name}-audit"
  destination = "extended_s3"

  server_side_encryption {
    enabled  = true
    key_type = "AWS_OWNED_CMK"
  }

  extended_s3_configuration {
    role_arn            = aws_iam_role.audit_delivery.arn
    bucket_arn          = aws_s3_bucket.this["audit"].arn
    prefix              = "kubernetes/!{timestamp:yyyy/MM/dd/HH}/"
    error_output_prefix = "kubernetes/failed/!{firehose:error-output-type}/"
    buffering_interval  = 300
    buffering_size      = 5
    compression_format  = "UNCOMPRESSED" # CloudWatch compresses already.
  }
}

resource "aws_iam_role" "audit_subscription" {
  name = "${local.name}-audit-subscription"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "logs.${var.region}.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringLike = { "aws:SourceArn" = "arn:aws:logs:${var.region}:${var.account_id}:*" } }
    }]
  })
}

resource "aws_iam_role_policy" "audit_subscription" {
  name = "put"
  role = aws_iam_role.audit_subscription.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = ["firehose:PutRecord", "firehose:PutRecordBatch"]
      Resource = aws_kinesis_firehose_delivery_stream.audit.arn
    }]
  })
}

resource "aws_cloudwatch_log_subscription_filter" "audit" {
  name            = "audit"
  log_group_name  = aws_cloudwatch_log_group.cluster.name
  filter_pattern  = "{ $.apiVersion = \"audit.k8s.io/*\" }"
  destination_arn = aws_kinesis_firehose_delivery_stream.audit.arn
  role_arn        = aws_iam_role.audit_subscription.arn
}
