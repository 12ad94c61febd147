using System.Text.Json.Nodes;

namespace LocalPlus.Tests.Platform;

/// <summary>Every Terraform root is formatted, valid and passes its own tests, in a copy.</summary>
[Trait("Run", "named")]
public class TerraformTests
{
    public static TheoryData<string> Roots => [.. Terraform.Roots];

    [Theory]
    [MemberData(nameof(Roots))]
    public void A_root_is_formatted_and_valid_and_its_tests_pass(string root)
    {
        var result = Tools.Script("terraform.mjs", Repository.At($"artifacts/terraform/{root}"), root)["roots"]![root]!;
        Assert.Empty(result.Items("findings").Select(f => f.ToString()));
        Assert.Equal("0", result.Text("failed"));
        var runs = Terraform
            .Files($"{root}/tests", "*.tftest.hcl")
            .Sum(f => File.ReadLines(f).Count(l => l.StartsWith("run \"", StringComparison.Ordinal)));
        Assert.True(runs >= 2, $"{root} has {runs} tests");
        Assert.Equal(runs, (int)result["passed"]!);
    }

    [Theory]
    [InlineData("cloudflare/zone.tf", "proxied  = ", "prxied  = ", "prxied")]
    [InlineData("vault/engines.tf", "max_versions         = 10", "max_versions         = 3", "last ten versions")]
    [InlineData(
        "data-aiven/kafka.tf",
        "auto_create_topics_enable  = false",
        "auto_create_topics_enable  = true",
        "by accident"
    )]
    public void A_root_that_is_wrong_is_found(string file, string right, string wrong, string finding)
    {
        var folder = Directory.CreateTempSubdirectory("terraform-");
        try
        {
            var root = file.Split('/')[0];
            var copy = Path.Combine(folder.FullName, "changed", file);
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            var text = Repository.Read($"platform/terraform/{file}");
            Assert.Contains(right, text, StringComparison.Ordinal);
            File.WriteAllText(copy, text.Replace(right, wrong, StringComparison.Ordinal));
            var result = Tools.Script(
                "terraform.mjs",
                Path.Combine(folder.FullName, "work"),
                root,
                "--over",
                Path.Combine(folder.FullName, "changed")
            );
            Assert.Contains(
                result["roots"]![root].Items("findings"),
                f => f.ToString().Contains(finding, StringComparison.Ordinal)
            );
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void Layer_0_makes_each_thing_once_and_lets_in_one_environment_of_one_repository()
    {
        var folder = Directory.CreateTempSubdirectory("layer-0-");
        try
        {
            // An AWS that has nothing yet, then one that has everything; it writes down what it was asked.
            var calls = Path.Combine(folder.FullName, "calls");
            var aws = Path.Combine(folder.FullName, "aws");
            File.WriteAllText(
                aws,
                """
                #!/usr/bin/env bash
                printf '%s\n' "$*" >> "$CALLS"
                case "$1 $2" in
                  "sts get-caller-identity") echo 000000000000 ;;
                  "kms create-key") echo "$KEY" ;;
                  "kms describe-key") [[ $EXISTS == 1 ]] && echo "$KEY" || exit 1 ;;
                  "iam get-"* | "s3api head-bucket") [[ $EXISTS == 1 ]] || exit 1 ;;
                esac
                """
            );
            File.SetUnixFileMode(aws, UnixFileMode.UserRead | UnixFileMode.UserExecute);
            var first = Bootstrap("0", "localplus/platform", "prod");
            Assert.True(first.Code == 0, first.Error);
            var made = Created();
            Assert.Equal(
                [
                    "iam create-open-id-connect-provider",
                    "iam create-role",
                    "kms create-key",
                    "kms create-alias",
                    "s3api create-bucket",
                ],
                made
            );
            Assert.Contains(
                "repo:localplus/platform:environment:prod",
                File.ReadAllText(calls),
                StringComparison.Ordinal
            );
            Assert.Contains("TF_STATE_BUCKET=localplus-000000000000-tfstate", first.Output, StringComparison.Ordinal);

            File.Delete(calls);
            var second = Bootstrap("1", "localplus/platform", "prod");
            Assert.Equal(first.Output, second.Output);
            Assert.Empty(Created());

            Assert.Equal(2, Bootstrap("0", "localplus/platform", "everywhere").Code);
            Assert.Equal(2, Bootstrap("0", "localplus/*", "prod").Code);
            Assert.Equal(2, Bootstrap("0", "localplus/platform", "prod", "us-east-1").Code);

            Tools.Result Bootstrap(string exists, params string[] arguments) =>
                Tools.Program(
                    "bash",
                    [Repository.At("platform/terraform/layer-0/aws/bootstrap.sh"), .. arguments],
                    ("PATH", $"{folder.FullName}:{Environment.GetEnvironmentVariable("PATH")}"),
                    ("CALLS", calls),
                    ("KEY", "arn:aws:kms:eu-west-1:000000000000:key/example"),
                    ("EXISTS", exists)
                );

            string[] Created() =>
                [
                    .. File.ReadLines(calls)
                        .Select(l => string.Join(' ', l.Split(' ').Take(2)))
                        .Where(l => l.Contains(" create-", StringComparison.Ordinal)),
                ];
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void Layer_0_trusts_no_pattern()
    {
        var statement = Assert.Single(
            JsonNode.Parse(Repository.Read("platform/terraform/layer-0/aws/trust-policy.json")).Items("Statement")
        );
        Assert.DoesNotContain('*', statement.ToJsonString());
        Assert.Equal(["StringEquals"], statement.Map("Condition").Keys);
        Assert.Equal(
            "repo:REPOSITORY:environment:ENVIRONMENT",
            statement.Map("Condition", "StringEquals")["token.actions.githubusercontent.com:sub"]
        );
    }
}
