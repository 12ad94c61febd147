using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace LocalPlus.Tests.Platform;

/// <summary>
/// The collector's configuration, read as the collector reads it: pipelines name what exists in the order that the
/// design asks for, people and secrets are masked, labels that would explode are dropped, and of traces those are kept
/// that the environment's shares say. No collector can be had here; its rules are RE2, which NonBacktracking accepts
/// the same of.
/// </summary>
public class CollectorTests
{
    private const string Folder = "platform/observability/collector";
    private const int Traces = 10_000;

    private static readonly JsonObject Gateway = Yaml.Load(Repository.At($"{Folder}/gateway.yaml")).Single();

    private static readonly Regex[] Blocked =
    [
        .. Redaction("blocked_values").Select(p => new Regex(p, RegexOptions.NonBacktracking)),
    ];

    [Theory]
    [InlineData("agent")]
    [InlineData("gateway")]
    public void Pipelines_name_what_is_there_and_use_all_of_it(string file)
    {
        var config = Yaml.Load(Repository.At($"{Folder}/{file}.yaml")).Single();
        var pipelines = config["service"]!["pipelines"]!.AsObject().Select(p => p.Value!).ToArray();
        foreach (var kind in new[] { "receivers", "processors", "exporters" })
        {
            var connectors = kind == "processors" ? [] : Names(config, "connectors");
            var used = pipelines.SelectMany(p => p.Items(kind)).Select(n => n.ToString()).ToHashSet();
            Assert.Equal(
                Names(config, kind).Concat(connectors).Order(StringComparer.Ordinal),
                used.Order(StringComparer.Ordinal)
            );
        }
    }

    [Fact]
    public void Memory_is_guarded_first_and_people_are_masked_before_anything_is_kept()
    {
        foreach (var (name, pipeline) in Gateway["service"]!["pipelines"]!.AsObject())
        {
            var order = pipeline.Items("processors").Select(p => p.ToString()).ToList();
            var fromOutside = pipeline.Items("receivers").Any(r => r.ToString() == "otlp");
            if (fromOutside)
            {
                Assert.Equal("memory_limiter", order[0]);
                Assert.Equal("attributes/cardinality", order[1]);
                Assert.True(name == "metrics" || order[2] == "redaction/pii", $"{name} masks nobody");
            }

            Assert.True(!order.Contains("batch") || order[^1] == "batch", $"{name} does not batch last");
        }

        Assert.Equal(
            ["tail_sampling", "batch"],
            Gateway.Items("service.pipelines.traces/sampled.processors").Select(p => p.ToString())
        );
        Assert.Contains(
            "spanmetrics",
            Gateway.Items("service.pipelines.traces/all.exporters").Select(e => e.ToString())
        );
    }

    /// <summary>Chapter 7.3.</summary>
    [Theory]
    [InlineData("user_id", true)]
    [InlineData("request_id", true)]
    [InlineData("http.url", true)]
    [InlineData("url.full", true)]
    [InlineData("http.route", false)]
    [InlineData("service.name", false)]
    [InlineData("http.request.method", false)]
    [InlineData("http.response.status_code", false)]
    public void Labels_that_would_explode_are_dropped_and_the_others_are_kept(string label, bool dropped) =>
        Assert.Equal(
            dropped,
            Gateway
                .Items("processors.attributes/cardinality.actions")
                .Any(a => a.Text("key") == label && a.Text("action") == "delete")
        );

    [Theory]
    [InlineData("paid with 4111 1111 1111 1111 today")]
    [InlineData("pan=5500000000000004")]
    [InlineData("amex 3782-822463-10005")]
    [InlineData("mastercard 2221 0000 0000 0009")]
    [InlineData("to DE89 3704 0044 0532 0130 00")]
    [InlineData("iban FR7630006000011234567890189")]
    [InlineData("mail to ann.o'neil+till@example.co.uk")]
    [InlineData("Anna <anna@example.org>")]
    [InlineData("call +353 1 234 5678")]
    [InlineData("sms +33612345678")]
    [InlineData("Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlLW9mLWl0")]
    [InlineData("key lp_test_01m8mkkgfhf6k9rt2eawf0hkadhpkb4pwvmrdp2676k75h7q8fxzv6905k")]
    [InlineData("code 7K3M-9QTX-2WBD-ZR5V entered")]
    public void A_person_or_a_secret_is_masked(string text) => Assert.Contains(Blocked, rule => rule.IsMatch(text));

    [Theory]
    [InlineData("redemption completed in 12.5 ms")]
    [InlineData("2026-11-29T21:34:26.123Z")]
    [InlineData("job balance-reconciliation ended in 1734 ms")]
    [InlineData("GET /v1/gift_cards/{id} 200")]
    [InlineData("amount 1000000 EUR")]
    [InlineData("localplus.ledger.v1.LedgerService/CaptureHold")]
    [InlineData("listening on 127.0.0.1:5101")]
    public void What_names_nobody_is_left_as_it_is(string text) =>
        Assert.DoesNotContain(Blocked, rule => rule.IsMatch(text));

    [Fact]
    public void Values_of_secret_keys_are_masked_and_those_of_others_are_not()
    {
        var keys = Redaction("blocked_key_patterns").Select(p => new Regex(p, RegexOptions.NonBacktracking)).ToArray();
        Assert.All(
            [
                "password",
                "http.request.header.authorization",
                "db.password",
                "card_code",
                "api-key",
                "Set-Cookie",
                "pin",
            ],
            key => Assert.Contains(keys, rule => rule.IsMatch(key))
        );
        Assert.All(
            ["http.route", "localplus.event.type", "shipping", "service.name", "spanId"],
            key => Assert.DoesNotContain(keys, rule => rule.IsMatch(key))
        );
    }

    [Fact]
    public void Ids_of_traces_are_not_looked_at_and_random_ones_are_hardly_ever_taken_for_people()
    {
        Assert.Superset(
            new HashSet<string>(["trace_id", "span_id"], StringComparer.Ordinal),
            Redaction("ignored_keys").ToHashSet(StringComparer.Ordinal)
        );
        var random = new Random(20);
        var bytes = new byte[16];
        var masked = Enumerable
            .Range(0, Traces)
            .Count(_ =>
            {
                random.NextBytes(bytes);
                var id = new Guid(bytes).ToString();
                return Blocked.Any(rule => rule.IsMatch(id));
            });
        Assert.InRange(masked, 0, Traces / 500);
    }

    /// <summary>Chapter 7.6: errors, slow ones, and the share of the rest, in per cent.</summary>
    [Theory]
    [InlineData("dev", 100, 100, 100)]
    [InlineData("staging", 100, 50, 50)]
    [InlineData("prod", 100, 100, 10)]
    public void Traces_are_kept_in_the_shares_of_the_design(string environment, int errors, int slow, int rest)
    {
        var policies = Yaml.Load(Repository.At($"{Folder}/{environment}.yaml"))
            .Single()
            .Items("processors.tail_sampling.policies")
            .ToArray();
        var random = new Random(7);

        double Kept(bool failed, double milliseconds) =>
            100.0
            * Enumerable
                .Range(0, Traces)
                .Count(_ => policies.Any(p => Keeps(p, failed, milliseconds, random.NextDouble() * 100)))
            / Traces;

        Assert.InRange(Kept(failed: true, 20), errors - 1, errors);
        Assert.InRange(Kept(failed: false, 900), slow - 1.5, slow + 1.5);
        Assert.InRange(Kept(failed: false, 20), rest - 1.5, rest + 1.5);
    }

    private static bool Keeps(JsonNode policy, bool failed, double milliseconds, double drawn) =>
        policy.Text("type") switch
        {
            "always_sample" => true,
            "status_code" => failed && policy.Items("status_code.status_codes").Any(c => c.ToString() == "ERROR"),
            "latency" => milliseconds > (long)policy.At("latency.threshold_ms")!,
            "probabilistic" => drawn < (long)policy.At("probabilistic.sampling_percentage")!,
            var type => throw new InvalidOperationException($"a policy of type {type}"),
        };

    private static string[] Names(JsonObject config, string kind) =>
        [.. (config[kind]?.AsObject() ?? []).Select(p => p.Key)];

    private static string[] Redaction(string list) =>
        [.. Gateway.Items($"processors.redaction/pii.{list}").Select(p => p.ToString())];
}
