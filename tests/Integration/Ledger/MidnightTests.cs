using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;
using LocalPlus.Ledger.Operations;
using LocalPlus.Tests.Integration.Ledger.Model;
using LocalPlus.Tests.Integration.Support;
using LocalPlus.Tests.Unit.Ledger.Model;
using Npgsql;

namespace LocalPlus.Tests.Integration.Ledger;

/// <summary>
/// Answers lie in tables of days. Two replicas, one of which has midnight behind it, are asked the same at once.
/// </summary>
public sealed class MidnightTests : IAsyncLifetime
{
    private const int Keys = 8;
    private const int Rounds = 20;
    private static readonly DateTimeOffset Today = new(TimeProvider.System.GetUtcNow().Date, TimeSpan.Zero);

    private readonly OutboxSignal outbox = new();
    private readonly MerchantId merchant = MerchantId.New(TimeProvider.System);
    private readonly Opening card = new("card", "EUR", Floor: null);
    private readonly Opening till = new("till", "EUR");
    private TestDatabase database = null!;
    private NpgsqlDataSource source = null!;

    public async Task InitializeAsync()
    {
        database = await TestDatabase.CreateAsync("ledger", typeof(LocalPlus.Ledger.Faults).Assembly);
        source = NpgsqlDataSource.Create(database.ConnectionString);
    }

    public async Task DisposeAsync()
    {
        await source.DisposeAsync();
        await database.DisposeAsync();
        outbox.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Equal_commands_at_once_on_both_sides_of_midnight_are_posted_once(bool isOrdered)
    {
        await new PostgresBooks(source, outbox).OpenAsync(merchant, [card, till]);
        for (var round = 0; round < Rounds; round++)
        {
            Request[] requests =
            [
                .. Enumerable
                    .Range(0, Keys)
                    .Select(i => isOrdered ? $"{Guid.CreateVersion7(Today)}" : $"ticket-{round}-{i}")
                    .Select(key => new Request(
                        new PostTransaction(merchant, new Header(null, "pay"), [new Posting(card.Id, till.Id, 1)]),
                        key,
                        key,
                        false
                    )),
            ];

            var replies = await Task.WhenAll(
                AskAsync(requests, Today.AddMilliseconds(-1)),
                AskAsync([.. requests.Reverse()], Today.AddMilliseconds(1))
            );

            Assert.Equal(replies[0].Select(reply => reply.Text), replies[1].Reverse().Select(reply => reply.Text));
            Assert.All(replies[0], reply => Assert.Null(reply.Code));
        }

        Assert.Equal(Rounds * Keys, await database.ScalarAsync<long>("SELECT count(*) FROM transactions"));
        Assert.Equal(Rounds * Keys, await database.ScalarAsync<long>("SELECT count(*) FROM answers"));
    }

    private Task<IReadOnlyList<Reply>> AskAsync(Request[] requests, DateTimeOffset now) =>
        Task.Run(() =>
            new PostgresBooks(source, outbox, new StillTime(now)).RunAsync(requests, TimeProvider.System.GetUtcNow())
        );

    private sealed class StillTime(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
