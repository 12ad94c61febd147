using System.Net;
using System.Text.RegularExpressions;

namespace LocalPlus.Tests.Platform;

/// <summary>Compliance rules that hold for every Terraform file, read off the HCL itself.</summary>
public partial class TerraformRuleTests
{
    [Fact]
    public void Every_root_keeps_its_state_encrypted_and_locked_under_a_name_of_its_own()
    {
        var keys = new List<string>();
        foreach (var root in Terraform.Roots)
        {
            var text = Repository.Read($"platform/terraform/{root}/versions.tf");
            Assert.Contains("backend \"s3\"", text, StringComparison.Ordinal);
            Assert.Matches(@"encrypt\s+= true", text);
            Assert.Matches(@"use_lockfile\s+= true", text);
            Assert.Matches(@"required_version = "">= 1\.11""", text);
            Assert.Matches(@"version = ""~> \d", text);
            keys.Add(StateKey().Match(text).Groups[1].Value);
        }

        Assert.Equal(Terraform.Roots.Select(r => $"{r}.tfstate"), keys);
    }

    [Fact]
    public void Every_variable_is_described_typed_and_where_it_names_something_of_ours_checked()
    {
        foreach (var (root, _, json) in Terraform.All)
        {
            foreach (var (name, blocks) in json["variable"]?.AsObject() ?? [])
            {
                var variable = Assert.Single(blocks!.AsArray())!;
                Assert.True(variable.Text("description").Length > 10, $"{root} {name}: no description");
                Assert.True(variable.At("type") is not null, $"{root} {name}: no type");
                if (Checked().IsMatch(name))
                {
                    Assert.True(variable.At("validation") is not null, $"{root} {name}: no validation");
                }

                Assert.True(
                    !Secret().IsMatch(name) || variable.Text("sensitive") == "true",
                    $"{root} {name}: a secret that plans would print"
                );
                Assert.True(
                    !Secret().IsMatch(name) || variable.At("default") is null,
                    $"{root} {name}: a secret in code"
                );
            }
        }
    }

    [Fact]
    public void No_file_holds_an_account_a_key_or_a_password()
    {
        foreach (var file in Directory.GetFiles(Repository.At("platform/terraform"), "*", SearchOption.AllDirectories))
        {
            foreach (var line in File.ReadLines(file))
            {
                Assert.False(
                    Account().Matches(line).Any(m => m.Value.Trim('0', ':', '"', '-').Length > 0),
                    $"{file}: an account: {line}"
                );
                Assert.DoesNotMatch(@"AKIA[0-9A-Z]{16}|-----BEGIN [A-Z ]*PRIVATE KEY|hvs\.[A-Za-z0-9]{20}", line);
            }
        }
    }

    [Fact]
    public void The_world_is_let_in_nowhere()
    {
        foreach (var (address, type, block) in Terraform.Everything)
        {
            var text = block.ToJsonString();
            if (type.StartsWith("aws_route", StringComparison.Ordinal))
            {
                // The way out: private subnets by NAT, the public ones that hold it.
                Assert.Contains(
                    address,
                    (string[])
                        [
                            "foundation/aws_route.internet",
                            "foundation/aws_route.nat",
                            "foundation/aws_route.aiven",
                            "foundation/aws_route_table.this",
                            "foundation/aws_route_table_association.this",
                            "foundation/aws_route53_zone.internal",
                            .. Dns,
                        ]
                );
                continue;
            }

            Assert.False(text.Contains("0.0.0.0/0", StringComparison.Ordinal), $"{address} names the whole world");
            Assert.False(text.Contains("::/0", StringComparison.Ordinal), $"{address} names the whole world");
            Assert.False(type is "aws_lb" or "aws_elb" or "aws_alb", $"{address}: an address of the origin");
        }

        Assert.All(
            Terraform.Resources("aws_subnet"),
            s => Assert.Equal("false", s.Block.Text("map_public_ip_on_launch"))
        );
        var cluster = Assert.Single(Terraform.Resources("aws_eks_cluster")).Block;
        Assert.Equal("false", cluster.Text("vpc_config.0.endpoint_public_access"));
    }

    [Fact]
    public void Whatever_keeps_data_encrypts_it_with_a_key_that_rotates()
    {
        Assert.All(
            Terraform.Resources("aws_kms_key"),
            k =>
            {
                Assert.Equal("true", k.Block.Text("enable_key_rotation"));
                Assert.Equal("30", k.Block.Text("deletion_window_in_days"));
            }
        );
        foreach (var (bucket, _) in Terraform.Resources("aws_s3_bucket"))
        {
            var name = bucket.Split('.')[^1];
            foreach (
                var companion in (string[])
                    ["public_access_block", "server_side_encryption_configuration", "versioning", "policy"]
            )
            {
                Assert.Contains(
                    Terraform.Resources($"aws_s3_bucket_{companion}"),
                    r =>
                        r.Address
                        == bucket.Replace(
                            $"aws_s3_bucket.{name}",
                            $"aws_s3_bucket_{companion}.{name}",
                            StringComparison.Ordinal
                        )
                );
            }
        }

        Assert.All(
            Terraform.Resources("aws_cloudwatch_log_group"),
            g => Assert.Contains("kms", g.Block.Text("kms_key_id"), StringComparison.Ordinal)
        );
        Assert.All(
            Terraform.Resources("aws_ecr_repository"),
            r => Assert.Equal("KMS", r.Block.Text("encryption_configuration.0.encryption_type"))
        );
        Assert.All(
            Terraform.Resources("aws_launch_template"),
            t => Assert.Equal("true", t.Block.Text("block_device_mappings.0.ebs.0.encrypted"))
        );
        Assert.All(Terraform.Resources("aws_sns_topic"), t => Assert.NotEqual("", t.Block.Text("kms_master_key_id")));
        Assert.All(
            Terraform.Resources("aws_eks_cluster"),
            c =>
                Assert.Contains(
                    "secrets",
                    c.Block.At("encryption_config.0.resources")!.ToJsonString(),
                    StringComparison.Ordinal
                )
        );
    }

    [Fact]
    public void No_role_may_do_everything_and_none_is_open_to_everybody()
    {
        foreach (
            var (address, type, block) in Terraform.Everything.Where(e =>
                e.Type is "aws_iam_role" or "aws_iam_role_policy"
            )
        )
        {
            var text = block.ToJsonString();
            Assert.DoesNotMatch(@"Action\s*=\s*\\u0022\*\\u0022|""\*:\*""", text);
            Assert.DoesNotContain("AdministratorAccess", text, StringComparison.Ordinal);
            if (type == "aws_iam_role")
            {
                Assert.DoesNotMatch(@"AWS\s*=\s*\\u0022\*", text);
            }

            Assert.True(
                address.StartsWith("foundation/", StringComparison.Ordinal),
                $"{address} is outside foundation"
            );
        }

        var irsa = Repository.Read("platform/terraform/foundation/irsa.tf");
        Assert.DoesNotContain("StringLike", irsa, StringComparison.Ordinal);
        Assert.Equal(1, Regex.Count(irsa, @"Resource = ""\*"""));
        Assert.Empty(Terraform.Resources("aws_iam_user"));
        Assert.Empty(Terraform.Resources("aws_iam_access_key"));
    }

    [Fact]
    public void Every_provider_of_aws_tags_what_it_makes_and_stops_in_another_account()
    {
        var providers = Terraform
            .All.SelectMany(f => f.Json["provider"]?["aws"]?.AsArray().Select(p => (f.Root, P: p!)) ?? [])
            .ToArray();
        Assert.Equal(5, providers.Length);
        foreach (var (root, provider) in providers)
        {
            Assert.True(provider.At("allowed_account_ids") is not null, $"{root}: any account");
            var tags = provider.Text("default_tags.0.tags");
            var text = tags.Contains("local.tags", StringComparison.Ordinal)
                ? Repository.Read($"platform/terraform/{root}/locals.tf")
                : provider.At("default_tags")!.ToJsonString();
            Assert.All(
                (string[])["Project", "Environment", "Owner", "DataClass", "ManagedBy"],
                tag => Assert.Contains(tag, text, StringComparison.Ordinal)
            );
        }
    }

    [Fact]
    public void Networks_of_environments_and_of_Aiven_do_not_overlap_and_are_the_charts_own()
    {
        var networks = new List<IPNetwork>();
        foreach (var environment in Chart.Environments)
        {
            var foundation = Terraform.Values("foundation", environment);
            var aiven = foundation.Text("aiven_cidr");
            networks.Add(IPNetwork.Parse(foundation.Text("vpc_cidr")));
            networks.Add(IPNetwork.Parse(aiven));
            Assert.Equal(aiven, Terraform.Values("data-aiven", environment).Text("network_cidr"));
            var chart = Yaml.Load(Repository.At($"charts/localplus/values-{environment}.yaml")).Single();
            var cidrs = chart.At("network.dataCidrs") ?? Chart.Values.At("network.dataCidrs");
            Assert.Equal(aiven, Assert.Single(cidrs!.AsArray())!.ToString());
        }

        for (var i = 0; i < networks.Count; i++)
        {
            for (var k = i + 1; k < networks.Count; k++)
            {
                Assert.False(
                    networks[i].Contains(networks[k].BaseAddress) || networks[k].Contains(networks[i].BaseAddress),
                    $"{networks[i]} overlaps {networks[k]}"
                );
            }
        }
    }

    [Fact]
    public void The_pools_are_the_seeds_and_prod_loses_a_zone_without_losing_its_way_out()
    {
        var prod = Terraform.Values("foundation", "prod");
        var pools = prod["node_pools"]!;
        Assert.Equal(
            ["application m6i.large 2-10", "platform m6i.xlarge 2-3", "spot m6i.large 0-5"],
            pools
                .AsObject()
                .OrderBy(p => p.Key, StringComparer.Ordinal)
                .Select(p =>
                    $"{p.Key} {p.Value.Text("instance_types.0")} {p.Value.Text("size.min")}-{p.Value.Text("size.max")}"
                )
        );
        Assert.Equal("NO_SCHEDULE", pools.Text("platform.taint.effect"));
        Assert.Equal("PREFER_NO_SCHEDULE", pools.Text("spot.taint.effect"));
        Assert.Equal("true", prod.Text("nat_per_zone"));
        Assert.Equal("10.0.0.0/16", prod.Text("vpc_cidr"));
    }

    [Fact]
    public void Services_of_Aiven_are_the_seeds_and_have_no_public_address()
    {
        var prod = Terraform.Values("data-aiven", "prod");
        Assert.All((string[])["pg", "kafka", "valkey"], s => Assert.Equal("business-4", prod.Text($"plans.{s}")));
        Assert.Equal("true", prod.Text("replica"));
        Assert.Equal("", prod.Text("protected"));
        var services = Terraform
            .Everything.Where(e => e.Type is "aiven_pg" or "aiven_kafka" or "aiven_valkey")
            .ToArray();
        Assert.Equal(4, services.Length);
        Assert.All(
            services,
            s =>
            {
                Assert.Equal("${aiven_project_vpc.this.id}", s.Block.Text("project_vpc_id"));
                Assert.Equal("${var.protected}", s.Block.Text("termination_protection"));
            }
        );
    }

    [Fact]
    public void Vault_opens_to_each_sidecar_what_its_components_and_its_service_ask_for()
    {
        var policies = Repository.Read("platform/terraform/vault/policies.tf");
        var shared = Entries(SharedEntries().Match(policies).Groups[1].Value);
        var scoped = ScopedEntries()
            .Matches(ScopedBlock().Match(policies).Groups[1].Value)
            .SelectMany(m => Entries(m.Groups[2].Value).Select(e => $"{m.Groups[1].Value} {e}"));
        var asked = Directory
            .GetFiles(Repository.At("components/clouds/aiven-aws"), "*.yaml")
            .SelectMany(Yaml.Load)
            .SelectMany(c =>
                c.Items("spec.metadata")
                    .Select(m => m.Text("secretKeyRef.name"))
                    .Where(n => n.Length > 0)
                    .SelectMany(n => c.At("scopes") is null ? [$"* {n}"] : c.Items("scopes").Select(s => $"{s} {n}"))
            )
            .Distinct()
            .ToArray();
        var everybodys = asked.Where(a => a[0] == '*').Select(a => a[2..]).ToArray();
        Assert.Equal(everybodys.Order(), shared);
        Assert.Equal(asked.Where(a => a[0] != '*' && !everybodys.Contains(a.Split(' ')[1])).Order(), scoped.Order());

        static IEnumerable<string> Entries(string list) => list.Split(',').Select(e => e.Trim().Trim('"')).Order();

        var services = Terraform
            .All.Single(f => f.Root == "vault" && f.Json["variable"] is not null)
            .Json.At("variable.services.0.default")!;
        Assert.Equal(Repository.Services, services.AsArray().Select(s => s!.ToString()));
        foreach (var configuration in Directory.GetFiles(Repository.At("components/base/config")).SelectMany(Yaml.Load))
        {
            var scope = Assert.Single(configuration.Items("spec.secrets.scopes"));
            var entry = Assert.Single(scope.Items("allowedSecrets")).ToString();
            var app = configuration.Name();
            Assert.Equal(app.EndsWith("-migrate", StringComparison.Ordinal) ? $"{app[..^8]}-migrations" : app, entry);
        }
    }

    [Fact]
    public void The_operators_door_of_Cloudflare_stands_before_every_operators_route()
    {
        var doors = Yaml.Load(Repository.At("charts/localplus/files/httproutes.yaml"))
            .SelectMany(r => r.Items("spec.rules"))
            .SelectMany(r => r.Items("matches"))
            .Select(m => m.Text("path.value"))
            .Where(p => p.StartsWith("/ops", StringComparison.Ordinal))
            .ToArray();
        Assert.NotEmpty(doors);
        var text = Repository.Read("platform/terraform/cloudflare/policies/access-policies.yaml");
        Assert.Contains(
            "name: operators, host: api, path: /ops, who: admins, mfa: true",
            text,
            StringComparison.Ordinal
        );
        Assert.All(doors, d => Assert.StartsWith("/ops/", d, StringComparison.Ordinal));
        Assert.Equal("https://localplus.cloudflareaccess.com", Chart.Values.Text("operators.issuer"));
    }

    private static readonly string[] Dns =
    [
        "dns-backup/aws_route53_zone.this",
        "dns-backup/aws_route53_record.this",
        "dns-backup/aws_route53_health_check.api",
    ];

    [GeneratedRegex(@"key\s+= ""([^""]+)""")]
    private static partial Regex StateKey();

    [GeneratedRegex(@"^(environment|.*account_id|organization_id|.*_cidr|regions?|cloud|plan)$")]
    private static partial Regex Checked();

    [GeneratedRegex(@"secret|password|_admin$|token")]
    private static partial Regex Secret();

    [GeneratedRegex(@"(?<![0-9a-f-])\d{12}(?![0-9a-f])")]
    private static partial Regex Account();

    [GeneratedRegex(@"shared = \[([^\]]*)\]")]
    private static partial Regex SharedEntries();

    [GeneratedRegex(@"scoped = \{([^}]*)\}")]
    private static partial Regex ScopedBlock();

    [GeneratedRegex(@"(\w+) = \[([^\]]*)\]")]
    private static partial Regex ScopedEntries();
}
