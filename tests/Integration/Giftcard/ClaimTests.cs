using LocalPlus.Giftcard;
using LocalPlus.Giftcard.Cards;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;
using Microsoft.Extensions.Configuration;
using Npgsql;

namespace LocalPlus.Tests.Integration.Giftcard;

/// <summary>Claims on keys lie in tables of days: one key has one claim, also when two come around midnight.</summary>
public sealed class ClaimTests : IAsyncLifetime
{
    private static readonly DateTimeOffset Today = new(TimeProvider.System.GetUtcNow().Date, TimeSpan.Zero);

    private readonly OutboxSignal signal = new();
    private readonly MerchantId merchant = MerchantId.New(TimeProvider.System);
    private readonly FingerprintKeys fingerprints = new(
        new ConfigurationBuilder()
            .AddInMemoryCollection(
                new Dictionary<string, string?> { ["Secrets:fingerprint_keys"] = $"1:{new string('f', 40)}" }
            )
            .Build()
    );

    private TestDatabase database = null!;
    private NpgsqlDataSource source = null!;

    public async Task InitializeAsync()
    {
        database = await TestDatabase.CreateAsync("giftcard", typeof(CardCode).Assembly);
        TypeHandlers.Register();
        source = NpgsqlDataSource.Create(database.ConnectionString);
    }

    public async Task DisposeAsync()
    {
        await source.DisposeAsync();
        await database.DisposeAsync();
        signal.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Of_equal_claims_at_once_on_both_sides_of_midnight_one_stands(bool isOrdered)
    {
        for (var round = 0; round < 20; round++)
        {
            RequestKey[] keys =
            [
                .. Enumerable
                    .Range(0, 5)
                    .Select(i => Key(isOrdered ? $"{Guid.CreateVersion7(Today)}" : $"ticket-{round}-{i}")),
            ];

            var claimed = await Task.WhenAll(
                Enumerable.Range(0, 6).Select(i => ClaimAsync(keys, Today.AddMilliseconds(i % 2 == 0 ? -1 : 1)))
            );

            Assert.Equal(keys.Length, claimed.Sum());
            Assert.Equal(
                keys.Length,
                await database.ScalarAsync<long>(
                    $"SELECT count(*) FROM idempotency_claims WHERE key IN ('{string.Join("','", keys.Select(Text))}')"
                )
            );
        }
    }

    [Fact]
    public async Task An_answer_finds_its_claim_and_is_found_on_the_days_that_follow()
    {
        var yesterday = Today.AddMilliseconds(-1);
        var key = Key("ticket");
        Assert.Equal(1, await ClaimAsync([key], yesterday));

        await using (var db = await Database.BeginAsync(default))
        {
            await Intents.StoreAsync(db, merchant, key.Key, Answer.Ok(new { paid = true }));
            await db.CommitAsync();
        }

        Assert.NotNull(await new Intents(Database, TimeProvider.System).AnswerAsync(merchant, key.Key, default));
        Assert.Equal(0, await ClaimAsync([key], Today.AddDays(2)));
    }

    private Database Database => new(source, signal, TimeProvider.System);

    private static string Text(RequestKey key) => key.Key;

    private RequestKey Key(string key) => new(merchant, key, fingerprints.Of("POST /v1/things", [1]));

    private async Task<int> ClaimAsync(IReadOnlyList<RequestKey> keys, DateTimeOffset at)
    {
        await using var db = await Database.BeginAsync(default);
        var claimed = await Intents.ClaimAsync(
            db,
            keys.Select(key => (key, Guid.CreateVersion7(TimeProvider.System.GetUtcNow()))),
            at
        );
        await db.CommitAsync();
        return claimed.Count;
    }
}
