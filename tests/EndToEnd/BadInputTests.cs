using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace LocalPlus.Tests.EndToEnd;

/// <summary>Every endpoint of the story, given what it must refuse: a problem document with a stable code.</summary>
[Collection(StackTests.Name)]
public sealed class BadInputTests(StackFixture stack)
{
    private const string Absent = "00000000000000000000000000";

    public static TheoryData<string, string, string, string?, int, string> Cases =>
        new()
        {
            { "POST /v1/merchants", "admin", "key", """{"name":""}""", 400, "invalid_request" },
            { "POST /v1/merchants", "admin", "key", """{"nom":"x"}""", 400, "unknown_field" },
            {
                "POST /v1/merchants",
                "admin",
                "",
                """{"name":"x","country":"FR","currency":"EUR","contact_email":"a@example.com"}""",
                400,
                "idempotency_key_missing"
            },
            { "POST /v1/merchants", "viewer", "key", "{}", 403, "scope_missing" },
            { "POST /v1/merchants", "none", "key", "{}", 401, "unauthenticated" },
            { "POST /v1/programs", "merchant", "key", """{"name":"x","currency":"EURO"}""", 400, "invalid_request" },
            {
                "POST /v1/programs",
                "merchant",
                "",
                """{"name":"x","currency":"EUR"}""",
                400,
                "idempotency_key_missing"
            },
            { "POST /v1/programs", "none", "key", """{"name":"x","currency":"EUR"}""", 401, "unauthenticated" },
            { "POST /v1/programs", "merchant", "key", "{", 400, "invalid_request" },
            {
                "POST /v1/gift_cards",
                "merchant",
                "key",
                """{"program_id":"prg_x","amount":{"amount":1,"currency":"EUR"}}""",
                400,
                "invalid_request"
            },
            {
                "POST /v1/gift_cards",
                "merchant",
                "key",
                $$$"""{"program_id":"prg_{{{Absent}}}","amount":{"amount":1.5,"currency":"EUR"}}""",
                400,
                "invalid_request"
            },
            {
                "POST /v1/gift_cards",
                "merchant",
                "key",
                $$$"""{"program_id":"prg_{{{Absent}}}","amount":{"amount":100,"currency":"EUR"}}""",
                404,
                "not_found"
            },
            {
                "POST /v1/gift_cards/lookup",
                "merchant",
                "key",
                """{"code":"ABCDEFGHJKMNPQRS"}""",
                404,
                "gift_card_not_usable"
            },
            { "POST /v1/gift_cards/lookup", "merchant", "key", """{"code":null}""", 400, "invalid_request" },
            {
                "POST /v1/redemptions",
                "merchant",
                "key",
                """{"reference":"a","mode":"later"}""",
                400,
                "invalid_request"
            },
            {
                "POST /v1/redemptions",
                "merchant",
                "key",
                """{"reference":"a","mode":"two_phase","amount":{"amount":1,"currency":"EUR"},"sources":[{"gift_card":{"code":"ABCDEFGHJKMNPQRS"}}]}""",
                404,
                "gift_card_not_usable"
            },
            {
                "POST /v1/redemptions",
                "merchant",
                "",
                """{"reference":"a","mode":"two_phase","amount":{"amount":1,"currency":"EUR"},"sources":[]}""",
                400,
                "idempotency_key_missing"
            },
            { $"POST /v1/redemptions/rdm_{Absent}/confirm", "merchant", "key", "{}", 404, "not_found" },
            { $"POST /v1/redemptions/rdm_{Absent}/cancel", "merchant", "key", "{}", 404, "not_found" },
            { $"POST /v1/redemptions/rdm_{Absent}/refunds", "merchant", "key", "{}", 404, "not_found" },
            {
                $"POST /v1/redemptions/rdm_{Absent}/extend",
                "merchant",
                "key",
                """{"hold_expires_at":"2999-01-01T00:00:00Z"}""",
                404,
                "not_found"
            },
            {
                $"POST /v1/redemptions/rdm_{Absent}/extend",
                "merchant",
                "key",
                """{"hold_expires_at":"2001-01-01T00:00:00Z"}""",
                400,
                "invalid_request"
            },
            {
                "POST /v1/holds",
                "merchant",
                "key",
                """{"amount":{"amount":1,"currency":"EUR"},"sources":[]}""",
                400,
                "invalid_request"
            },
            {
                "POST /v1/holds",
                "merchant",
                "",
                """{"amount":{"amount":1,"currency":"EUR"},"sources":[{"gift_card":{"code":"ABCDEFGHJKMNPQRS"}}]}""",
                400,
                "idempotency_key_missing"
            },
            { $"GET /v1/holds/hld_{Absent}", "merchant", "", null, 404, "not_found" },
            { $"POST /v1/holds/hld_{Absent}/capture", "merchant", "key", "{}", 404, "not_found" },
            { $"POST /v1/holds/hld_{Absent}/release", "merchant", "key", "{}", 404, "not_found" },
            { $"POST /v1/holds/hld_{Absent}/extend", "merchant", "key", "{}", 400, "invalid_request" },
            { $"PATCH /v1/programs/prg_{Absent}", "merchant", "", """{"name":"x"}""", 428, "if_match_required" },
            {
                $"PATCH /v1/programs/prg_{Absent}",
                "merchant",
                "",
                """{"image_url":"ftp://x"}""",
                400,
                "invalid_request"
            },
            {
                $"POST /v1/gift_cards/gc_{Absent}/merge",
                "merchant",
                "key",
                """{"from":{"code":"ABCDEFGHJKMNPQRS"}}""",
                404,
                "not_found"
            },
            { $"POST /v1/gift_cards/gc_{Absent}/merge", "merchant", "key", """{"from":{}}""", 400, "invalid_request" },
            { $"GET /v1/gift_cards/gc_{Absent}/lots", "merchant", "", null, 404, "not_found" },
            {
                "POST /v1/rewards",
                "merchant",
                "key",
                """{"name":"x","amount":{"amount":0,"currency":"EUR"}}""",
                400,
                "invalid_request"
            },
            { $"GET /v1/rewards/rwd_{Absent}", "merchant", "", null, 404, "not_found" },
            { "GET /v1/rewards?status=gone", "merchant", "", null, 400, "invalid_request" },
            { $"PATCH /v1/rewards/rwd_{Absent}", "merchant", "", "{}", 428, "if_match_required" },
            {
                $"POST /v1/rewards/rwd_{Absent}/redeem",
                "merchant",
                "key",
                $$$"""{"gift_card_id":"gc_{{{Absent}}}"}""",
                404,
                "not_found"
            },
            {
                "POST /v1/gift_cards/bulk",
                "merchant",
                "key",
                $$$"""{"program_id":"prg_{{{Absent}}}","quantity":0}""",
                400,
                "invalid_request"
            },
            {
                "POST /v1/gift_cards/bulk",
                "merchant",
                "key",
                $$$"""{"program_id":"prg_{{{Absent}}}","quantity":1}""",
                404,
                "not_found"
            },
            { $"GET /v1/gift_cards/bulk/job_{Absent}", "merchant", "", null, 404, "not_found" },
            {
                $"POST /v1/gift_cards/bulk/job_{Absent}/codes",
                "merchant",
                "key",
                """{"public_key":"mine"}""",
                400,
                "invalid_request"
            },
            {
                $"POST /v1/terminals/trm_{Absent}/offline_allowances",
                "merchant",
                "key",
                """{"card_cap":{"amount":2,"currency":"EUR"},"total_cap":{"amount":1,"currency":"EUR"},"valid_seconds":3600}""",
                400,
                "invalid_request"
            },
            {
                $"POST /v1/terminals/trm_{Absent}/offline_batches",
                "merchant",
                "",
                """{"allowance":"x","items":[]}""",
                400,
                "invalid_request"
            },
            { "GET /v1/reports/liability?as_of=2999-01-01T00:00:00Z", "merchant", "", null, 400, "invalid_request" },
            { "GET /v1/reports/breakage?as_of=yesterday", "merchant", "", null, 400, "invalid_request" },
            { "GET /v1/reports/settlement", "none", "", null, 401, "unauthenticated" },
            { "GET /ops/v1/runs?health=sick", "viewer", "", null, 400, "invalid_request" },
            { $"GET /v1/redemptions/rdm_{Absent}", "merchant", "", null, 404, "not_found" },
            { $"GET /v1/gift_cards/gc_{Absent}", "merchant", "", null, 404, "not_found" },
            { "GET /v1/gift_cards/nonsense", "merchant", "", null, 400, "invalid_request" },
            { "GET /v1/gift_cards?limit=0", "merchant", "", null, 400, "invalid_request" },
            { $"GET /ops/v1/runs/rdm_{Absent}", "viewer", "", null, 404, "not_found" },
            { $"GET /ops/v1/runs/rdm_{Absent}", "merchant", "", null, 401, "unauthenticated" },
            { "GET /v1/nothing/here", "merchant", "", null, 404, "not_found" },
            { "POST /internal/api_keys/verify", "merchant", "key", "{}", 404, "not_found" },
        };

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Is_refused_with_a_problem_document(
        string call,
        string who,
        string key,
        string? body,
        int status,
        string code
    )
    {
        using var request = new HttpRequestMessage(new HttpMethod(call.Split(' ')[0]), call.Split(' ')[1]);
        // Without it nothing else is looked at, which is a case of its own.
        if (request.Method == HttpMethod.Patch && code != "if_match_required")
        {
            request.Headers.TryAddWithoutValidation("If-Match", "\"1\"");
        }

        request.Headers.Authorization = who switch
        {
            "admin" => new AuthenticationHeaderValue("Bearer", stack.AdminToken),
            "viewer" => new AuthenticationHeaderValue("Bearer", (await stack.LocalPlus.MustAsync("token")).Trim()),
            "merchant" => new AuthenticationHeaderValue("Bearer", stack.ApiKey),
            _ => null,
        };
        if (key.Length > 0)
        {
            request.Headers.Add("Idempotency-Key", Guid.CreateVersion7().ToString());
        }

        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await stack.Client.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();

        Assert.True(status == (int)answer.StatusCode, $"{(int)answer.StatusCode} {text}");
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        var problem = JsonNode.Parse(text)!;
        Assert.Equal(code, (string?)problem["code"]);
        Assert.Equal(status, (int)problem["status"]!);
        Assert.Equal($"https://docs.localplus.io/problems/{code}", (string?)problem["type"]);
        Assert.NotNull((string?)problem["request_id"]);
        Assert.NotNull(problem["retryable"]);
    }
}
