using LocalPlus.Hosting;
using LocalPlus.Ledger.Commit;
using LocalPlus.Tests.Integration.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace LocalPlus.Tests.Integration.Ledger;

public sealed class AnswerKeeperTests
{
    [Fact]
    public async Task Answers_are_forgotten_after_30_days_and_not_before()
    {
        await using var database = await TestDatabase.CreateAsync("ledger", typeof(AnswerKeeper).Assembly);
        await using var source = NpgsqlDataSource.Create(database.ConnectionString);
        TypeHandlers.Register();
        using var signal = new OutboxSignal();
        await database.AsOwnerAsync(
            $"""
            INSERT INTO answers (answer_id, merchant_id, fingerprint, status, body, created_at)
            SELECT gen_random_uuid(), gen_random_uuid(), decode(repeat('00', 32), 'hex'), 200, '',
                   now() - CASE WHEN n <= 2 THEN interval '29 days 23 hours' ELSE interval '30 days 1 minute' END
              FROM generate_series(1, {(2 * Housekeeping.RowsPerStatement) + 3}) AS n
            """
        );

        using var housekeeping = new Housekeeping(
            new Database(source, signal, TimeProvider.System),
            TimeProvider.System,
            [AnswerKeeper.Chore],
            NullLogger<Housekeeping>.Instance
        );
        await housekeeping.StartAsync(default);

        await Eventually.TrueAsync(async () => await database.ScalarAsync<long>("SELECT count(*) FROM answers") == 2);
        await housekeeping.StopAsync(default);
    }
}
