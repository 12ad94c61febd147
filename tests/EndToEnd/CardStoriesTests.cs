using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace LocalPlus.Tests.EndToEnd;

/// <summary>
/// What cards do across services: the ledger's books of a coalition, a digital card's mail, an offline till.
/// </summary>
[Collection(StackTests.Name)]
public sealed class CardStoriesTests(StackFixture stack)
{
    private static readonly TimeSpan Soon = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task A_card_is_spent_in_part_and_refunded_at_another_merchant_and_the_ledger_agrees_with_the_settlement()
    {
        var onboarded = await SendAsync(
            "POST /v1/merchants",
            stack.AdminToken,
            """{"name":"Bookshop","country":"FR","currency":"EUR","contact_email":"books@example.com"}""",
            201
        );
        var (shop, key) = ((string)onboarded["id"]!, (string)onboarded["api_key"]!["key"]!);
        var program = await ProgramAsync(
            $$$"""{"name":"Town card","currency":"EUR","accepted_at":[{"merchant_id":"{{{shop}}}","commission_basis_points":250}]}"""
        );
        await SendAsync($"POST /v1/acceptances/{program}/accept", key, """{"commission_basis_points":250}""", 200);
        var code = await SellAsync(program, 1000);

        var paid = await SendAsync(
            "POST /v1/redemptions",
            key,
            Redemption(code, 4000, """ "partial":"allow", """),
            201
        );
        Assert.Equal((1000, 25), (Amount(paid, "captured"), Amount(paid, "commission")));
        var refund = await SendAsync(
            $"POST /v1/redemptions/{paid["id"]}/refunds",
            key,
            """{"amount":{"amount":400,"currency":"EUR"}}""",
            201
        );
        Assert.Equal(10, Amount(refund, "commission"));

        var line = (await SendAsync("GET /v1/reports/settlement", stack.ApiKey, null))["data"]!
            .AsArray()
            .Single(l => (string)l!["merchant_id"]! == shop)!;
        Assert.Equal(
            (1000, 400, 15, 585),
            (Amount(line, "captured"), Amount(line, "refunded"), Amount(line, "commission"), Amount(line, "net"))
        );
        Assert.Equal((585, 15), (await PostedAsync($"payable:{shop}"), await PostedAsync($"commission:{shop}")));
    }

    [Fact]
    public async Task A_digital_card_arrives_by_mail_with_its_code()
    {
        var program = await ProgramAsync("""{"name":"Digital","currency":"EUR"}""");
        var address = $"{Guid.CreateVersion7():N}@example.com";
        var sold = await SendAsync(
            "POST /v1/gift_cards",
            stack.ApiKey,
            $$$"""{"program_id":"{{{program}}}","amount":{"amount":2500,"currency":"EUR"},"recipient":{"email":"{{{address}}}"},"delivery":{"from":"Ann","message":"Enjoy"}}""",
            201
        );
        Assert.Null(sold["code"]);
        await UntilAsync(async () =>
            (await SendAsync("GET /v1/notifications", stack.ApiKey, null))["data"]!
                .AsArray()
                .Any(n =>
                    (string)n!["kind"]! == "gift_card_delivery"
                    && (string?)n["gift_card_id"] == (string)sold["id"]!
                    && (string)n["status"]! == "sent"
                )
        );
    }

    [Fact]
    public async Task An_offline_till_hands_in_what_it_took_as_often_as_it_likes()
    {
        var program = await ProgramAsync("""{"name":"Market","currency":"EUR"}""");
        var code = await SellAsync(program, 1000);
        var place = await SendAsync("POST /v1/locations", stack.ApiKey, """{"name":"Market"}""", 201);
        var till = await SendAsync(
            $"POST /v1/locations/{place["id"]}/terminals",
            stack.ApiKey,
            """{"name":"Stall"}""",
            201
        );
        var terminal = (string)till["id"]!;
        var allowance = await SendAsync(
            $"POST /v1/terminals/{terminal}/offline_allowances",
            stack.ApiKey,
            """{"card_cap":{"amount":2000,"currency":"EUR"},"total_cap":{"amount":5000,"currency":"EUR"},"valid_seconds":3600}""",
            201
        );
        const string at = "2026-01-10T12:00:00.000Z";
        var hash = Convert.ToHexStringLower(
            SHA256.HashData(Encoding.UTF8.GetBytes($"{allowance["first_link"]}\n1\n{code}\n1500\nEUR\n{at}\n"))
        );
        var batch =
            $$$"""{"allowance":"{{{allowance["token"]}}}","items":[{"counter":1,"gift_card":{"code":"{{{code}}}"},"amount":{"amount":1500,"currency":"EUR"},"occurred_at":"{{{at}}}","hash":"{{{hash}}}"}]}""";
        JsonNode item = null!;
        await UntilAsync(async () =>
        {
            item = (await SendAsync($"POST /v1/terminals/{terminal}/offline_batches", stack.ApiKey, batch))["items"]![
                0
            ]!;
            return (string)item["state"]! == "done";
        });
        Assert.Equal((1000, 500), (Amount(item, "captured"), Amount(item, "shortfall")));
        var again = await SendAsync($"POST /v1/terminals/{terminal}/offline_batches", stack.ApiKey, batch);
        Assert.True(JsonNode.DeepEquals(item, again["items"]![0]));
    }

    private static string Redemption(string code, long amount, string more) =>
        $$$"""{"mode":"immediate",{{{more}}}"amount":{"amount":{{{amount}}},"currency":"EUR"},"sources":[{"gift_card":{"code":"{{{code}}}"}}]}""";

    private async Task<string> ProgramAsync(string terms) =>
        (string)(await SendAsync("POST /v1/programs", stack.ApiKey, terms, 201))["id"]!;

    private async Task<string> SellAsync(string program, long amount) =>
        (string)
            (
                await SendAsync(
                    "POST /v1/gift_cards",
                    stack.ApiKey,
                    $$$"""{"program_id":"{{{program}}}","amount":{"amount":{{{amount}}},"currency":"EUR"}}""",
                    201
                )
            )["code"]!;

    private async Task<long> PostedAsync(string account)
    {
        var accounts = await SendAsync($"GET /v1/accounts?name={account}", stack.ApiKey, null);
        return (long)accounts["data"]!.AsArray().Single(a => (string)a!["name"]! == account)!["posted"]!;
    }

    private static long Amount(JsonNode body, string name) => (long)body[name]!["amount"]!;

    /// <summary>As a client does: what may succeed later is sent again with the same key.</summary>
    private async Task<JsonNode> SendAsync(string call, string bearer, string? body, int status = 200)
    {
        var key = Guid.CreateVersion7().ToString();
        (int Status, JsonNode Body) answer = (0, null!);
        await UntilAsync(async () =>
        {
            answer = await OnceAsync(call, bearer, body, key);
            return answer.Status < 400 || !(bool)answer.Body["retryable"]!;
        });
        Assert.True(status == answer.Status, $"{call}: {answer.Status} {answer.Body}");
        return answer.Body;
    }

    private async Task<(int Status, JsonNode Body)> OnceAsync(string call, string bearer, string? body, string key)
    {
        using var request = new HttpRequestMessage(new HttpMethod(call.Split(' ')[0]), call.Split(' ')[1]);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer);
        request.Headers.Add("Idempotency-Key", key);
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await stack.Client.SendAsync(request);
        return ((int)answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync())!);
    }

    private static async Task UntilAsync(Func<Task<bool>> condition)
    {
        using var limit = new CancellationTokenSource(Soon);
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(200));
        while (!await condition())
        {
            await pulse.WaitForNextTickAsync(limit.Token);
        }
    }
}
