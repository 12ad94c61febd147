using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Tests.Integration.Support;
using Npgsql;

namespace LocalPlus.Tests.Integration.Ledger;

/// <summary>Expiry without an engine: whoever is busy with a hold is passed over, and nobody waits for him.</summary>
public sealed class SweeperTests(LedgerFixture ledger) : IClassFixture<LedgerFixture>
{
    [Fact]
    public async Task A_hold_that_somebody_has_locked_does_not_keep_the_others_from_expiring()
    {
        var card = await ledger.FundAsync("sweeper", 1_000);
        var busy = (await ledger.Client.PlaceHoldAsync(ledger.HoldOf("sweeper-busy", 100, card), ledger.Options))
            .Hold
            .HoldId;
        var idle = (await ledger.Client.PlaceHoldAsync(ledger.HoldOf("sweeper-idle", 200, card), ledger.Options))
            .Hold
            .HoldId;
        await using var connection = new NpgsqlConnection(ledger.Database.OwnerConnectionString);
        await connection.OpenAsync();
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await ledger.Database.AsOwnerAsync(
                "UPDATE holds SET expires_at = now() - interval '1 minute' WHERE reference = 'sweeper-busy'"
            );
            await ExecuteAsync(connection, "SELECT hold_id FROM holds WHERE reference = 'sweeper-busy' FOR UPDATE");
            await ledger.Database.AsOwnerAsync(
                "UPDATE holds SET expires_at = now() - interval '1 minute' WHERE reference = 'sweeper-idle'"
            );

            await Eventually.TrueAsync(async () => await StateAsync(idle) == HoldState.Expired);
            await transaction.RollbackAsync();
        }

        await Eventually.TrueAsync(async () => await StateAsync(busy) == HoldState.Expired);
        var account = await ledger.GetAsync(card);
        Assert.Equal((1_000L, 0L), (account.Available, account.Held));
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private async Task<HoldState> StateAsync(string hold) =>
        (
            await ledger.Client.GetHoldAsync(
                new GetHoldRequest { MerchantId = ledger.Merchant.ToString(), HoldId = hold },
                ledger.Options
            )
        )
            .Hold
            .State;
}
