#!/usr/bin/env bash
# Once per AWS account, by a person who is its administrator: what Terraform needs before it can do the rest.
# Running it again changes nothing that is as it should be.
#
#   bootstrap.sh OWNER/REPOSITORY ENVIRONMENT [REGION]
#
# Makes GitHub's identity provider, the role TerraformCI that one environment of one repository may take on, and the
# bucket of Terraform's state with its key. Prints what the pipeline has to know.
set -euo pipefail

usage() {
  echo "usage: bootstrap.sh OWNER/REPOSITORY dev|staging|prod|shared|organization [REGION]" >&2
  exit 2
}

[[ $# -ge 2 ]] || usage
repository=$1
environment=$2
region=${3:-eu-west-1}
[[ $repository =~ ^[A-Za-z0-9_-]+/[A-Za-z0-9._-]+$ ]] || usage
[[ $environment =~ ^(dev|staging|prod|shared|organization)$ ]] || usage
[[ $region == eu-* ]] || { echo "state stays in the EU: $region" >&2; exit 2; }

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
role=TerraformCI
issuer=token.actions.githubusercontent.com
alias=alias/localplus-tfstate
noncurrent_days=90
export AWS_DEFAULT_REGION=$region AWS_PAGER=

account=$(aws sts get-caller-identity --query Account --output text)
bucket=localplus-$account-tfstate
echo "account $account, region $region: $role for $repository, environment $environment" >&2

if ! aws iam get-open-id-connect-provider \
  --open-id-connect-provider-arn "arn:aws:iam::$account:oidc-provider/$issuer" >/dev/null 2>&1; then
  aws iam create-open-id-connect-provider --url "https://$issuer" --client-id-list sts.amazonaws.com >/dev/null
fi

trust=$(sed -e "s|ACCOUNT|$account|" -e "s|REPOSITORY|$repository|" -e "s|ENVIRONMENT|$environment|" "$here/trust-policy.json")
if aws iam get-role --role-name "$role" >/dev/null 2>&1; then
  aws iam update-assume-role-policy --role-name "$role" --policy-document "$trust"
else
  aws iam create-role --role-name "$role" --max-session-duration 3600 --assume-role-policy-document "$trust" >/dev/null
fi
# It makes networks, clusters, keys and roles. What it must never touch, the organization's policies deny it.
aws iam attach-role-policy --role-name "$role" --policy-arn arn:aws:iam::aws:policy/AdministratorAccess

key=$(aws kms describe-key --key-id "$alias" --query KeyMetadata.Arn --output text 2>/dev/null || true)
if [[ -z $key ]]; then
  key=$(aws kms create-key --description "Terraform's state" --query KeyMetadata.Arn --output text)
  aws kms create-alias --alias-name "$alias" --target-key-id "$key"
fi
aws kms enable-key-rotation --key-id "$key"

if ! aws s3api head-bucket --bucket "$bucket" >/dev/null 2>&1; then
  aws s3api create-bucket --bucket "$bucket" --create-bucket-configuration "LocationConstraint=$region" >/dev/null
fi
aws s3api put-public-access-block --bucket "$bucket" --public-access-block-configuration \
  BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true
aws s3api put-bucket-versioning --bucket "$bucket" --versioning-configuration Status=Enabled
aws s3api put-bucket-encryption --bucket "$bucket" --server-side-encryption-configuration \
  "{\"Rules\":[{\"BucketKeyEnabled\":true,\"ApplyServerSideEncryptionByDefault\":{\"SSEAlgorithm\":\"aws:kms\",\"KMSMasterKeyID\":\"$key\"}}]}"
aws s3api put-bucket-lifecycle-configuration --bucket "$bucket" --lifecycle-configuration \
  "{\"Rules\":[{\"ID\":\"old-states\",\"Status\":\"Enabled\",\"Filter\":{},\"NoncurrentVersionExpiration\":{\"NoncurrentDays\":$noncurrent_days}}]}"
aws s3api put-bucket-policy --bucket "$bucket" --policy \
  "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"TlsAlone\",\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"s3:*\",\"Resource\":[\"arn:aws:s3:::$bucket\",\"arn:aws:s3:::$bucket/*\"],\"Condition\":{\"Bool\":{\"aws:SecureTransport\":\"false\"}}}]}"

cat <<OUT
AWS_ROLE=arn:aws:iam::$account:role/$role
TF_STATE_BUCKET=$bucket
TF_STATE_KEY=$key
TF_VAR_account_id=$account
OUT
