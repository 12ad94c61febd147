using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Balances;

/// <summary>
/// wallet.members.v1, this service's own: the wallets of the members' customers have other points now. It is told after
/// the member's own transaction, so no till waits for a wallet.
/// </summary>
internal static class OnMemberEvent
{
    internal sealed record Data(MemberId MemberId);

    public static async Task HandleAsync(
        IReadOnlyList<EventEnvelope<Data>> events,
        DbSession db,
        IServiceProvider services
    )
    {
        var members = events.Select(e => e.Data.MemberId).Distinct().ToArray();
        var wallets = await db.QueryAsync<WalletId>(Sql.Wallets, new { MemberIds = members });
        await WalletBalances.PublishAsync(db, wallets, services.GetRequiredService<Caches>());
    }

    private static class Sql
    {
        // Of a membership that was merged, the wallet that the other one is in.
        public const string Wallets = """
            SELECT DISTINCT w.wallet_id
              FROM members m
              JOIN members t
                ON t.member_id = coalesce(m.merged_into, m.member_id)
              JOIN wallets w
                ON w.customer_id = t.customer_id
             WHERE m.member_id = ANY(@MemberIds)
            """;
    }
}
