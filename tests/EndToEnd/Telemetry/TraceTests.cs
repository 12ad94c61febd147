using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace LocalPlus.Tests.EndToEnd.Telemetry;

/// <summary>What a redemption leaves in telemetry: one trace, whole, and nobody's secrets in any signal.</summary>
[Collection(StackTests.Name)]
public sealed class TraceTests(StackFixture stack)
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task One_redemption_is_one_trace_from_the_gateway_to_the_run_and_the_last_consumer()
    {
        var card = await SellAsync();
        var (trace, parent) = (
            ActivityTraceId.CreateRandom().ToHexString(),
            ActivitySpanId.CreateRandom().ToHexString()
        );

        await SendAsync(
            "POST",
            "/v1/redemptions",
            $$$"""
            {"mode":"immediate","amount":{"amount":1200,"currency":"EUR"},"sources":[{"gift_card":{"code":"{{{card}}}"}}]}
            """,
            $"00-{trace}-{parent}-01"
        );

        await UntilAsync(() => Missing(stack.Collector.SpansOf(trace)).Length == 0, () => Told(trace));
        var spans = stack.Collector.SpansOf(trace);
        var server = Assert.Single(spans, span => span.ParentId == parent);
        Assert.Equal("svc-giftcard", server.Service);
        Assert.Equal("/v1/redemptions", server.Attributes["http.route"]);
        Assert.Equal("201", server.Attributes["http.response.status_code"]);
        Assert.All(
            spans.Where(span => span.Scope == "Npgsql"),
            span => Assert.Equal("postgresql", span.Attributes["db.system.name"])
        );
        Assert.All(
            spans.Where(span => span.Scope == "LocalPlus.Events"),
            span => Assert.StartsWith("evt_", span.Attributes["messaging.message.id"], StringComparison.Ordinal)
        );
        await UntilAsync(() => Orphans(stack.Collector.SpansOf(trace), parent).Length == 0, () => Told(trace));
        spans = stack.Collector.SpansOf(trace);
        Assert.All(
            spans.Where(span => span.Name.StartsWith("process ", StringComparison.Ordinal)),
            process => Assert.Contains(Above(process, spans), span => span.Name == $"publish {Topic(process)}")
        );
        // What was published was caused by the request or by the run, in the service whose event it is.
        Assert.All(
            spans.Where(span => span.Name.StartsWith("publish ", StringComparison.Ordinal)),
            publish =>
                Assert.StartsWith(
                    Owner(Topic(publish)),
                    Above(publish, spans).First().Service,
                    StringComparison.Ordinal
                )
        );
    }

    [Fact]
    public async Task T50_No_code_PIN_address_IBAN_or_token_is_in_any_signal_log_row_or_history()
    {
        const string iban = "FR1420041010050500013M02606";
        const string mistyped = "FR1420041010050500013M02609";
        var email = $"canary-{Guid.CreateVersion7():N}@example.com";
        await ChangeMerchantAsync(iban, HttpStatusCode.OK);
        await ChangeMerchantAsync(mistyped, HttpStatusCode.BadRequest);
        var program = (string)
            (await SendAsync("POST", "/v1/programs", """{"name":"Findable","currency":"EUR","pin":"required"}"""))[
                "id"
            ]!;
        await SendAsync("POST", "/v1/customers", $$$"""{"email":"{{{email}}}","name":"Canary Person"}""");
        var card = await SendAsync(
            "POST",
            "/v1/gift_cards",
            $$$"""{"program_id":"{{{program}}}","amount":{"amount":5000,"currency":"EUR"}}"""
        );
        var (code, pin) = ((string)card["code"]!, (string?)card["pin"] ?? "");
        var body =
            $$$"""{"mode":"immediate","amount":{"amount":100,"currency":"EUR"},"sources":[{"gift_card":{"code":"{{{code}}}","pin":"{{{pin}}}"}}]}""";
        var (trace, parent) = (
            ActivityTraceId.CreateRandom().ToHexString(),
            ActivitySpanId.CreateRandom().ToHexString()
        );
        var paid = (string)(await SendAsync("POST", "/v1/redemptions", body, $"00-{trace}-{parent}-01"))["id"]!;
        // A refusal and a guess go other ways than success does.
        await TrySendAsync(
            "/v1/redemptions",
            body.Replace("\"amount\":100", "\"amount\":900000", StringComparison.Ordinal)
        );
        await TrySendAsync("/v1/gift_cards/lookup", $$$"""{"code":"{{{code}}}","pin":"000000"}""");
        await UntilAsync(
            () => stack.Collector.SpansOf(trace).Any(span => span.Scope == "LocalPlus.Events"),
            () => Told(trace)
        );
        await UntilAsync(() => stack.Collector.Received.Any(r => r.Kind == "logs"), () => "no logs came");

        string[] secrets =
        [
            code,
            code.Replace("-", "", StringComparison.Ordinal),
            email,
            "Canary Person",
            iban,
            mistyped,
            stack.ApiKey,
            stack.AdminToken,
        ];
        Assert.All(secrets.Distinct(), secret => Assert.Empty(stack.Collector.KindsWith(secret)));
        Assert.Empty(Leaks.InLogs(stack.LocalPlus, secrets));
        // The search finds what is there: a word of a row, and in the engine's history whose redemption it is.
        Assert.NotEmpty(await Leaks.InTablesAsync(stack.LocalPlus, "giftcard", ["Findable"]));
        await stack.LocalPlus.UntilAsync(
            "the run is in the engine's history",
            async () => (await Leaks.InTablesAsync(stack.LocalPlus, "workflow", [paid])).Count > 0
        );
        foreach (var database in Leaks.Databases)
        {
            Assert.Empty(await Leaks.InTablesAsync(stack.LocalPlus, database, secrets));
        }
    }

    private async Task ChangeMerchantAsync(string iban, HttpStatusCode status)
    {
        using var asked = new HttpRequestMessage(HttpMethod.Get, "/v1/merchants/me");
        asked.Headers.Authorization = new AuthenticationHeaderValue("Bearer", stack.ApiKey);
        using var merchant = await stack.Client.SendAsync(asked);
        using var change = new HttpRequestMessage(HttpMethod.Patch, "/v1/merchants/me")
        {
            Content = new StringContent($$"""{"iban":"{{iban}}"}""", Encoding.UTF8, "application/json"),
        };
        change.Headers.Authorization = asked.Headers.Authorization;
        change.Headers.IfMatch.Add(merchant.Headers.ETag!);
        using var answer = await stack.Client.SendAsync(change);
        Assert.Equal(status, answer.StatusCode);
    }

    private static string[] Missing(Span[] spans)
    {
        (string What, Func<Span, bool> Is)[] wanted =
        [
            ("the request", s => s is { Service: "svc-giftcard", Name: "POST /v1/redemptions" }),
            // One span for a hop: the stand-in's sidecars are one process here, and the caller's has it.
            (
                "the sidecar's hop to ledger",
                s => s.Service == "giftcard" && s.Name.EndsWith("/ExecuteBatch", StringComparison.Ordinal)
            ),
            ("the call in ledger", s => s is { Service: "svc-ledger", Scope: "Microsoft.AspNetCore" }),
            ("ledger's batch", s => s is { Service: "svc-ledger", Scope: "LocalPlus.Ledger" }),
            ("SQL of ledger", s => s is { Service: "svc-ledger", Scope: "Npgsql" }),
            ("SQL of giftcard", s => s is { Service: "svc-giftcard", Scope: "Npgsql" }),
            (
                "the redemption's publication",
                s => s is { Service: "svc-giftcard", Name: "publish giftcard.redemptions.v1" }
            ),
            ("the booking's publication", s => s is { Service: "svc-ledger", Name: "publish ledger.transactions.v1" }),
            ("the mail's event", s => s is { Service: "svc-notification", Name: "process giftcard.redemptions.v1" }),
            ("the figures' event", s => s is { Service: "svc-analytics", Name: "process giftcard.redemptions.v1" }),
            ("the balance's event", s => s is { Service: "svc-wallet", Name: "process ledger.transactions.v1" }),
            ("the run's start", s => s is { Service: "svc-giftcard", Name: "start run" }),
            ("the run's step", s => s is { Service: "svc-giftcard", Name: "WorkflowActivity AdvanceRedemption" }),
            ("the run", s => s.Service == "giftcard" && s.Name.StartsWith("orchestration||", StringComparison.Ordinal)),
        ];
        return [.. wanted.Where(w => !spans.Any(w.Is)).Select(w => w.What)];
    }

    private static string Topic(Span span) => span.Name.Split(' ')[1];

    /// <summary>svc-ledger for ledger.transactions.v1.</summary>
    private static string Owner(string topic) => $"svc-{topic.Split('.')[0]}";

    /// <summary>The spans that a span is below, from near to far.</summary>
    private static IEnumerable<Span> Above(Span span, Span[] spans)
    {
        for (var at = Parent(span); at is not null; at = Parent(at))
        {
            yield return at;
        }

        Span? Parent(Span below) => spans.FirstOrDefault(other => other.SpanId == below.ParentId);
    }

    private static Span[] Orphans(Span[] spans, string root) =>
        [.. spans.Where(span => span.ParentId != root && !spans.Any(other => other.SpanId == span.ParentId))];

    private string Told(string trace)
    {
        var spans = stack.Collector.SpansOf(trace);
        return $"missing: {string.Join(", ", Missing(spans))}; of {spans.Length}:\n{string.Join('\n', spans.Select(span => span.ToString()))}";
    }

    private async Task<string> SellAsync()
    {
        var program = (string)
            (await SendAsync("POST", "/v1/programs", """{"name":"Traced","currency":"EUR"}"""))["id"]!;
        var customer = (string)
            (await SendAsync("POST", "/v1/customers", $$$"""{"email":"{{{Guid.CreateVersion7():N}}}@example.com"}"""))[
                "id"
            ]!;
        return (string)
            (
                await SendAsync(
                    "POST",
                    "/v1/gift_cards",
                    $$$"""{"program_id":"{{{program}}}","customer_id":"{{{customer}}}","amount":{"amount":5000,"currency":"EUR"}}"""
                )
            )["code"]!;
    }

    private async Task<JsonNode> SendAsync(string method, string path, string body, string? traceparent = null)
    {
        // Busy is an invitation to repeat with the same key; on a slow machine the first calls of a stack may be.
        var key = Guid.CreateVersion7().ToString();
        for (var clock = Stopwatch.StartNew(); ; )
        {
            using var answer = await OnceAsync(method, path, body, traceparent, key);
            var text = await answer.Content.ReadAsStringAsync();
            if (answer.StatusCode == HttpStatusCode.ServiceUnavailable && clock.Elapsed < Soon)
            {
                continue;
            }

            Assert.True(answer.IsSuccessStatusCode, $"{method} {path}: {(int)answer.StatusCode} {text}");
            return JsonNode.Parse(text)!;
        }
    }

    private async Task TrySendAsync(string path, string body)
    {
        using var answer = await OnceAsync("POST", path, body, null, Guid.CreateVersion7().ToString());
        Assert.False(answer.IsSuccessStatusCode);
    }

    private async Task<HttpResponseMessage> OnceAsync(
        string method,
        string path,
        string body,
        string? traceparent,
        string key
    )
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path)
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", stack.ApiKey);
        request.Headers.Add("Idempotency-Key", key);
        if (traceparent is not null)
        {
            request.Headers.Add("traceparent", traceparent);
        }

        return await stack.Client.SendAsync(request);
    }

    private static async Task UntilAsync(Func<bool> condition, Func<string> because)
    {
        var clock = Stopwatch.StartNew();
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        while (!condition())
        {
            Assert.True(clock.Elapsed < Soon, because());
            await pulse.WaitForNextTickAsync();
        }
    }
}
