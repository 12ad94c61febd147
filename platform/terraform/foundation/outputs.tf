output "vpc_id" {
  description = "For data-aiven: the VPC that Aiven peers with."
  value       = aws_vpc.this.id
}

output "cluster_name" {
  description = "aws eks update-kubeconfig --name …"
  value       = aws_eks_cluster.this.name
}

output "cluster_endpoint" {
  description = "Reached from inside the VPC alone; gitops/clusters names it for Argo CD."
  value       = aws_eks_cluster.this.endpoint
}

output "cluster_issuer" {
  description = "Who signs the tokens of service accounts; vault trusts it."
  value       = aws_eks_cluster.this.identity[0].oidc[0].issuer
}

output "roles" {
  description = "IAM role of each platform service account, for the charts' annotations."
  value       = { for name, role in aws_iam_role.irsa : name => role.arn }
}

output "buckets" {
  description = "Names of the buckets, for the charts' values."
  value       = { for name, bucket in aws_s3_bucket.this : name => bucket.id }
}

output "vault_unseal_key_id" {
  description = "Vault's seal."
  value       = aws_kms_key.this["vault-unseal"].key_id
}
