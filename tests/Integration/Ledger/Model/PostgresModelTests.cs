using LocalPlus.Hosting;
using LocalPlus.Tests.Integration.Support;
using LocalPlus.Tests.Unit.Ledger.Model;
using LocalPlus.Tests.Unit.Ledger.Support;
using Npgsql;

namespace LocalPlus.Tests.Integration.Ledger.Model;

/// <summary>
/// The command path on PostgreSQL against a naive ledger: the same runs as the rules in memory, with keys and batches.
/// </summary>
[Trait("Run", "named")]
public sealed class PostgresModelTests
{
    private const int Steps = 40;

    [Fact]
    public async Task The_books_on_postgres_come_to_what_a_naive_ledger_comes_to_and_keep_the_six_invariants()
    {
        await using var database = await TestDatabase.CreateAsync("ledger", typeof(LocalPlus.Ledger.Faults).Assembly);
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        using var outbox = new OutboxSignal();

        await Task.Run(() => Run.Check(() => new PostgresBooks(source, outbox), LongRun.Of(40, 400), Steps));
    }
}
