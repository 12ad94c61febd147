using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;
using LocalPlus.Ledger.Operations;
using LocalPlus.Tests.Integration.Ledger.Model;
using LocalPlus.Tests.Integration.Support;
using LocalPlus.Tests.Unit.Ledger.Model;
using LocalPlus.Tests.Unit.Ledger.Support;
using Npgsql;

namespace LocalPlus.Tests.Integration.Ledger;

/// <summary>
/// Three replicas settle one hold at the instant at which it expires, each by a clock of its own: the last one for
/// which it is in time, and the first for which it is over.
/// </summary>
public sealed class ExpiryRaceTests : IAsyncLifetime
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Around = TimeSpan.FromSeconds(2);
    private readonly MerchantId merchant = MerchantId.New(TimeProvider.System);
    private readonly OutboxSignal outbox = new();
    private readonly Opening card = new("card", "EUR");
    private readonly Opening clearing = new("source", "EUR", Floor: null);
    private readonly Opening payable = new("payable", "EUR");
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

    [Fact]
    public async Task One_of_capture_release_and_expiry_wins()
    {
        var books = new PostgresBooks(source, outbox);
        await books.OpenAsync(merchant, [card, clearing, payable]);
        var now = TimeProvider.System.GetUtcNow();
        await DoneAsync(
            books,
            new PostTransaction(merchant, new Header("load", "load"), [new Posting(clearing.Id, card.Id, 1_000)]),
            now
        );
        for (var round = 0; round < LongRun.Of(50, 500); round++)
        {
            var end = now.AddMinutes(1);
            var place = new PlaceHold(
                merchant,
                $"hold-{round}",
                1,
                [new HoldSource(card.Id, null)],
                false,
                end,
                null,
                null
            );
            var hold = (await DoneAsync(books, place, now)).Hold!.Value;

            var replies = await Task.WhenAll(
                SettleAsync(
                    new CaptureHold(merchant, hold, null, null, new Capture(payable.Id, []), null),
                    end + Grace - Around,
                    round
                ),
                SettleAsync(new ReleaseHold(merchant, hold), end + Grace, round),
                SettleAsync(new ExpireHold(merchant, hold), end + Grace + Around, round)
            );

            Assert.Single(replies, reply => reply.Code is null);
            Assert.All(
                replies,
                reply => Assert.True(reply.Code is null or "hold_not_pending" or "hold_expired", reply.Text)
            );
        }

        var state = await books.ReadAsync();
        state.RequireInvariants();
        Assert.DoesNotContain(state.Holds, hold => hold.State == HoldState.Pending);
    }

    private async Task<Reply> SettleAsync(Operation operation, DateTimeOffset at, int round)
    {
        var replica = new PostgresBooks(source, outbox);
        return Assert.Single(
            await replica.RunAsync([new Request(operation, $"{operation.Name}-{round}", operation.Name, false)], at)
        );
    }

    private static async Task<Reply> DoneAsync(PostgresBooks books, Operation operation, DateTimeOffset at)
    {
        var key = $"{operation.Name}-{(operation as PlaceHold)?.Reference}";
        var reply = Assert.Single(await books.RunAsync([new Request(operation, key, key, false)], at));
        Assert.True(reply.Code is null, reply.Text);
        return reply;
    }
}
