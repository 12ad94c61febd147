using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Customers;
using LocalPlus.Wallet.Earnings;
using LocalPlus.Wallet.Erasure;
using LocalPlus.Wallet.Members;

namespace LocalPlus.Wallet.Export;

/// <summary>One change of a member's points.</summary>
internal sealed record ExportedMovement(
    MovementId Id,
    string Kind,
    long Points,
    long Pending,
    long Owed,
    EarningId? EarningId,
    string? Reason,
    DateTimeOffset EffectiveAt,
    DateTimeOffset RecordedAt
);

/// <summary>A membership with all that happened to it.</summary>
internal sealed record ExportedMember(
    MemberView Member,
    IReadOnlyList<EarningView> Earnings,
    IReadOnlyList<ExportedMovement> Movements
);

/// <summary>What this service keeps of a person, as of one moment.</summary>
/// <param name="Ids">The customer's and those of customers that were merged into it.</param>
internal sealed record WalletRecords(
    IReadOnlyList<CustomerId> Ids,
    CustomerView Customer,
    IReadOnlyList<ConsentView> Consents,
    IReadOnlyList<LegalHoldView> LegalHolds,
    IReadOnlyList<ExportedMember> Memberships
);

/// <summary>Reads them.</summary>
internal sealed class PersonalRecords(
    Database database,
    CustomerStore customers,
    PersonalDataVault vault,
    LegalHolds holds
)
{
    private const int PageSize = 500;

    /// <summary>Refuses with not_found.</summary>
    public async Task<WalletRecords> ReadAsync(MerchantId merchant, CustomerId id, CancellationToken cancel)
    {
        await using var db = await database.BeginAsync(cancel);
        var row = await CustomerStore.GetAsync(db, merchant, id);
        var members = await db.QueryAsync<MemberRow>(Sql.Members, new { row.CustomerId, MerchantId = merchant });
        var memberships = new List<ExportedMember>();
        foreach (var member in members)
        {
            memberships.Add(
                new(
                    member.ToView(),
                    [.. (await EarningsAsync(db, member.MemberId)).Select(earning => earning.ToView())],
                    await MovementsAsync(db, member.MemberId)
                )
            );
        }

        return new(
            await db.QueryAsync<CustomerId>(Sql.Ids, new { row.CustomerId }),
            customers.Open(row).ToView(),
            await ListConsents.ReadAsync(db, row, vault),
            await holds.ReadAsync(db, row),
            memberships
        );
    }

    private static Task<IReadOnlyList<EarningRow>> EarningsAsync(DbSession db, MemberId member) =>
        AllAsync(
            after =>
                db.QueryAsync<EarningRow>(
                    Sql.Earnings,
                    new
                    {
                        MemberId = member,
                        After = after,
                        Take = PageSize,
                    }
                ),
            earning => earning.EarningId.Value
        );

    private static Task<IReadOnlyList<ExportedMovement>> MovementsAsync(DbSession db, MemberId member) =>
        AllAsync(
            after =>
                db.QueryAsync<ExportedMovement>(
                    Sql.Movements,
                    new
                    {
                        MemberId = member,
                        After = after,
                        Take = PageSize,
                    }
                ),
            movement => movement.Id.Value
        );

    private static async Task<IReadOnlyList<T>> AllAsync<T>(Func<Guid, Task<IReadOnlyList<T>>> read, Func<T, Guid> id)
    {
        var all = new List<T>();
        for (var count = PageSize; count == PageSize; )
        {
            var page = await read(all.Count == 0 ? Guid.Empty : id(all[^1]));
            all.AddRange(page);
            count = page.Count;
        }

        return all;
    }

    private static class Sql
    {
        public const string Ids = """
            SELECT customer_id
              FROM customers
             WHERE customer_id = @CustomerId
                OR merged_into = @CustomerId
             ORDER BY customer_id
            """;

        // Of the person, and of its address: what is forgotten with it.
        public const string Members = $"""
            {MemberRow.Columns}
             WHERE m.member_id IN (SELECT o.member_id
                                     FROM members o
                                    WHERE o.customer_id = @CustomerId
                                    UNION ALL
                                   SELECT o.member_id
                                     FROM customers c
                                     JOIN loyalty_programs p
                                       ON p.merchant_id = @MerchantId
                                     JOIN members o
                                       ON o.program_id = p.program_id
                                      AND o.email_lookup = c.email_lookup
                                    WHERE c.customer_id = @CustomerId
                                       OR c.merged_into = @CustomerId)
             ORDER BY m.member_id
            """;

        public const string Earnings = $"""
            {EarningRow.Columns}
             WHERE e.member_id = @MemberId
               AND e.earning_id > @After
             ORDER BY e.earning_id
             LIMIT @Take
            """;

        public const string Movements = """
            SELECT m.movement_id AS id, m.kind, m.points, m.pending, m.owed, m.earning_id, m.reason, m.effective_at,
                   m.recorded_at
              FROM member_movements m
             WHERE m.member_id = @MemberId
               AND m.movement_id > @After
             ORDER BY m.movement_id
             LIMIT @Take
            """;
    }
}
