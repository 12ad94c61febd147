using System.Net;
using LocalPlus.Hosting;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Giftcard;

/// <summary>Who is refused before any work, and who is not (ADR 0020); the ledger is silent meanwhile.</summary>
public sealed class OverloadTests(GiftcardApi api) : IClassFixture<GiftcardApi>
{
    private const int Flood = AdmissionLimits.UnderWayMost * 3;

    [Fact]
    public async Task What_is_refused_has_executed_nothing_and_operators_and_other_merchants_get_through()
    {
        var (_, key) = api.NewMerchant();
        var program = await api.ProgramAsync(key: key);
        var (_, code) = await api.SellAsync(100_000, program, key);
        var other = await api.ProgramAsync();
        api.Pace.Hold();
        try
        {
            var answers = Enumerable.Range(0, Flood).Select(i => RedeemAsync(key, code, $"flood-{i}")).ToList();
            var refused = await FirstRefusedAsync(answers);

            // While all places are taken and nobody leaves.
            Assert.Equal(HttpStatusCode.OK, await AskAsync("/ops/v1/runs", api.OperatorToken("viewer")));
            Assert.Equal(HttpStatusCode.OK, await AskAsync($"/v1/programs/{other}", api.Key));
            Assert.Contains(refused.Code, new[] { "overloaded", "quota_exceeded" });
            Assert.True(refused.RetryAfter > TimeSpan.Zero);

            var ended = await Task.WhenAll(answers);
            var references = ended.Where(one => one.IsRefused).Select(one => one.Reference).ToArray();
            Assert.InRange(references.Length, 1, Flood - AdmissionLimits.UnderWayLeast);
            Assert.Equal(
                0,
                await api.Database.ScalarAsync<long>(
                    $"SELECT count(*) FROM redemptions WHERE reference = ANY('{{{string.Join(',', references)}}}')"
                )
            );
        }
        finally
        {
            api.Pace.Release();
        }

        // And a refusal is no answer that is kept: the same request is served when there is room.
        await Eventually.TrueAsync(async () =>
            (await RedeemAsync(key, code, $"flood-{Flood - 1}")).Status == HttpStatusCode.Created
        );
    }

    [Fact]
    public async Task Calls_of_the_ledger_end_before_the_request_that_they_are_for()
    {
        var (_, code) = await api.SellAsync(100);

        await Eventually.TrueAsync(async () =>
            (await RedeemAsync(api.Key, code, "deadline")).Status == HttpStatusCode.Created
        );

        Assert.NotEmpty(api.Pace.Timeouts);
        Assert.All(
            api.Pace.Timeouts,
            call => Assert.InRange(call.Timeout, TimeSpan.Zero, AdmissionLimits.Answer - AdmissionLimits.CallMargin)
        );
    }

    private static async Task<Redeemed> FirstRefusedAsync(List<Task<Redeemed>> answers)
    {
        await foreach (var answer in Task.WhenEach(answers))
        {
            if (await answer is { IsRefused: true } refused)
            {
                return refused;
            }
        }

        throw new InvalidOperationException("Nobody was refused.");
    }

    private async Task<HttpStatusCode> AskAsync(string path, string bearer)
    {
        using var answer = await api.SendAsync(HttpMethod.Get, path, bearer, null, null, asAnswered: true);
        return answer.StatusCode;
    }

    private async Task<Redeemed> RedeemAsync(string key, string code, string reference)
    {
        using var answer = await api.SendAsync(
            HttpMethod.Post,
            "/v1/redemptions",
            key,
            GiftcardApi.Redemption(code, 1, reference: reference),
            reference,
            asAnswered: true
        );
        var body = await answer.Content.ReadAsStringAsync();
        return new(
            reference,
            answer.StatusCode,
            System.Text.Json.JsonDocument.Parse(body).RootElement.TryGetProperty("code", out var fault)
                ? fault.GetString()!
                : "",
            answer.Headers.RetryAfter?.Delta ?? TimeSpan.Zero
        );
    }

    private sealed record Redeemed(string Reference, HttpStatusCode Status, string Code, TimeSpan RetryAfter)
    {
        public bool IsRefused => Code is "overloaded" or "quota_exceeded";
    }
}
