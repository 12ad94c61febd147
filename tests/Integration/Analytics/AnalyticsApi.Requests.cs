using System.Net.Http.Headers;
using System.Text.Json;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Analytics;

/// <summary>What tests of reports ask, and the ledger's entries as it tells them.</summary>
public sealed partial class AnalyticsApi
{
    public const string LedgerTopic = "ledger.transactions.v1";

    /// <summary>An entry on a card's account.</summary>
    public static TestEvent Entry(
        MerchantId merchant,
        GiftCardId card,
        string kind,
        long amount,
        DateTimeOffset at,
        string asset = "EUR"
    ) =>
        new(
            "ledger.transaction.posted",
            AccountId.New(TimeProvider.System).ToString(),
            1,
            merchant,
            new
            {
                transaction_id = TransactionId.New(TimeProvider.System).ToString(),
                entry_id = EntryId.New(TimeProvider.System).ToString(),
                account_name = $"card:{card}:paid",
                asset,
                kind,
                amount,
            }
        )
        {
            OccurredAt = at,
        };

    /// <summary>Each event twice, in an order that nobody sent them in.</summary>
    public async Task DeliverShuffledAsync(string topic, IEnumerable<TestEvent> events, int seed)
    {
        var all = events.ToArray();
        var twice = all.Concat(all).ToArray();
        new Random(seed).Shuffle(twice);
        foreach (var e in twice)
        {
            await Service.DeliverAsync(topic, e);
        }
    }

    public async Task<JsonElement> GetAsync(string key, string path) =>
        JsonSerializer.Deserialize<JsonElement>(await TextAsync(key, path));

    /// <summary>The lines of a CSV report behind its head.</summary>
    public async Task<string[]> LinesAsync(string key, string path) =>
        [.. (await TextAsync(key, path)).Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Skip(1)];

    public async Task<string> TextAsync(string key, string path)
    {
        using var answer = await SendAsync(key, path);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        return text;
    }

    public async Task<HttpResponseMessage> SendAsync(string key, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return await Service.Public.SendAsync(request);
    }

    public async Task<long> NumberAsync(string sql)
    {
        await using var command = source.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
