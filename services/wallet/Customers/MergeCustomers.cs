using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Balances;
using LocalPlus.Wallet.Erasure;
using LocalPlus.Wallet.Keys;

namespace LocalPlus.Wallet.Customers;

/// <summary>
/// POST /v1/customers/{id}/merge: two customers are one person. Cards, memberships and consents go to the other, and so
/// does what it lacks of name and telephone; the rest of this one's data is destroyed with its key. The id and the
/// address of this one lead to the other from now on. Refusals: not_found, member_exists (both are in one programme:
/// their memberships are merged first), customer_on_hold (this one), invalid_request.
/// </summary>
internal static class MergeCustomers
{
    internal sealed record Request(CustomerId Into);

    internal sealed record Response(CustomerId Id, string Object, CustomerId Merged);

    public static IEndpointRouteBuilder MapMergeCustomers(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/customers/{id}/merge", HandleAsync)
            .RequireScope("customers:write")
            .RequireIdempotencyKey()
            .Refuses(Faults.MemberExists, Faults.CustomerOnHold)
            .Audit("customer.merge")
            .WithName(nameof(MergeCustomers))
            .Produces<Response>();
        return group;
    }

    private static Task<IResult> HandleAsync(
        HttpContext http,
        CustomerId id,
        Request request,
        IdempotentRequests requests,
        CustomerMerger merger,
        CancellationToken cancel
    )
    {
        new FieldChecks().Require(request.Into != id, "/into", "same_customer").ThrowIfAny();
        var merchant = http.GetMerchant().MerchantId;
        return requests.ExecuteAsync(
            http,
            request,
            async db =>
            {
                var (into, version) = await merger.MergeAsync(db, merchant, id, request.Into);
                return Answer.Ok(new Response(into, "customer", id), version);
            },
            cancel
        );
    }
}

/// <summary>Makes two customers one, in the caller's transaction.</summary>
internal sealed class CustomerMerger(
    CustomerStore customers,
    PersonalDataVault vault,
    PiiVersions versions,
    LegalHolds holds,
    Caches caches
)
{
    /// <summary>The customer that is left, and its version.</summary>
    public async Task<(CustomerId Into, long Version)> MergeAsync(
        DbSession db,
        MerchantId merchant,
        CustomerId id,
        CustomerId other
    )
    {
        var keys = await versions.ForWritingAsync(db);
        var (from, into) = await LockBothAsync(db, merchant, id, other);
        if (from.CustomerId == into.CustomerId)
        {
            throw Faults.Invalid("/into", $"Both ids lead to {into.CustomerId}.");
        }

        // What would be destroyed has to be kept.
        await LegalHolds.RequireNoneAsync(db, from.CustomerId);
        var moved = await MoveMembersAsync(db, from.CustomerId, into.CustomerId);
        await MoveConsentsAsync(db, from, into);
        await holds.MoveAsync(db, from, into);
        var data = await DestroyAsync(db, merchant, from, into, keys);
        await MoveCardsAsync(db, from.CustomerId, into.CustomerId, moved);
        return (data.Id, data.Version);
    }

    /// <summary>One merge of a merchant's at a time, so that no id leads elsewhere meanwhile.</summary>
    private static async Task<(CustomerRow From, CustomerRow Into)> LockBothAsync(
        DbSession db,
        MerchantId merchant,
        CustomerId id,
        CustomerId other
    )
    {
        await db.ExecuteAsync(Sql.TakeTurn, new { Name = $"customers of {merchant} are merged" });
        var ids = new[]
        {
            (await CustomerStore.GetAsync(db, merchant, id)).CustomerId,
            (await CustomerStore.GetAsync(db, merchant, other)).CustomerId,
        };
        await db.ExecuteAsync(Sql.Lock, new { Ids = ids });
        // As they are now: who held them may have changed them, or forgotten one.
        return (await CustomerStore.GetAsync(db, merchant, id), await CustomerStore.GetAsync(db, merchant, other));
    }

    /// <summary>How many memberships went along.</summary>
    private static async Task<int> MoveMembersAsync(DbSession db, CustomerId from, CustomerId into)
    {
        var args = new { From = from, Into = into };
        if (await db.QuerySingleOrDefaultAsync<MemberId?>(Sql.MemberOfBoth, args) is { } member)
        {
            throw new FaultException(
                Faults.MemberExists,
                $"Both are members of one programme: merge {member} into the other's membership first."
            )
            {
                Extensions = new Dictionary<string, object?> { ["member_id"] = member },
            };
        }

        return await db.ExecuteAsync(Sql.MoveMembers, args);
    }

    /// <summary>Their proofs go from one person's key to the other's.</summary>
    private async Task MoveConsentsAsync(DbSession db, CustomerRow from, CustomerRow into)
    {
        foreach (var consent in await db.QueryAsync<Sealed>(Sql.Consents, new { from.CustomerId }))
        {
            var proof = consent.Proof is { } box
                ? vault.OpenText(from.CustomerId, from.WrappedKey, ConsentRow.ProofKind, box)
                : null;
            await db.ExecuteAsync(
                Sql.MoveConsent,
                new
                {
                    consent.ConsentId,
                    Into = into.CustomerId,
                    Proof = proof is null
                        ? null
                        : vault.SealText(into.CustomerId, into.WrappedKey, ConsentRow.ProofKind, proof),
                }
            );
        }
    }

    private async Task<Customer> DestroyAsync(
        DbSession db,
        MerchantId merchant,
        CustomerRow from,
        CustomerRow into,
        PiiVersion keys
    )
    {
        var (gone, left) = (customers.Open(from).Data, customers.Open(into));
        var merged = left with
        {
            Data = PersonalData.Of(left.Data.Email, left.Data.Name ?? gone.Name, left.Data.Phone ?? gone.Phone),
            Version = left.Version + 1,
        };
        await db.ExecuteAsync(
            Sql.Merge,
            new
            {
                From = from.CustomerId,
                Into = into.CustomerId,
                PhoneLookup = keys.Phone(merchant, merged.Data.Phone)?.Newest,
                PersonalData = vault.Seal(into.CustomerId, into.WrappedKey, merged.Data),
                merged.Version,
            }
        );
        return merged;
    }

    /// <summary>Last, so that the balances told are those that this transaction leaves.</summary>
    private async Task MoveCardsAsync(DbSession db, CustomerId from, CustomerId into, int members)
    {
        var wallets = await db.QueryAsync<WalletId>(Sql.Wallets, new { Ids = new[] { from, into } });
        var haveMoved = await db.ExecuteAsync(Sql.MoveCards, new { From = from, Into = into }) + members > 0;
        // The one leads to the other from now on, with cards or without.
        await WalletBalances.PublishAsync(db, haveMoved ? wallets : [], caches, wallets);
    }

    private sealed record Sealed(ConsentId ConsentId, byte[]? Proof);

    private static class Sql
    {
        public const string TakeTurn = "SELECT pg_advisory_xact_lock(hashtextextended(@Name, 0))";

        public const string Lock = """
            SELECT 1
              FROM customers
             WHERE customer_id = ANY(@Ids)
             ORDER BY customer_id
               FOR UPDATE
            """;

        public const string MemberOfBoth = """
            SELECT m.member_id
              FROM members m
              JOIN members o ON o.program_id = m.program_id AND o.customer_id = @Into
             WHERE m.customer_id = @From
             ORDER BY m.member_id
             LIMIT 1
            """;

        public const string MoveMembers = """
            UPDATE members
               SET customer_id = @Into, version = version + 1
             WHERE member_id IN (SELECT member_id
                                   FROM members
                                  WHERE customer_id = @From
                                  ORDER BY member_id
                                    FOR NO KEY UPDATE)
            """;

        public const string Consents =
            "SELECT consent_id, proof FROM customer_consents WHERE customer_id = @CustomerId";

        public const string MoveConsent = """
            UPDATE customer_consents
               SET customer_id = @Into, proof = @Proof
             WHERE consent_id = @ConsentId
            """;

        // Ids that led to this one lead on.
        public const string Merge = """
            DELETE FROM subject_keys
             WHERE customer_id = @From;
            UPDATE customers
               SET merged_into = @Into, personal_data = NULL, phone_lookup = NULL, version = version + 1
             WHERE customer_id = @From;
            UPDATE customers
               SET merged_into = @Into
             WHERE merged_into = @From;
            UPDATE customers
               SET personal_data = @PersonalData, phone_lookup = @PhoneLookup, lookups_made = 2, version = @Version
             WHERE customer_id = @Into
            """;

        public const string Wallets = "SELECT wallet_id FROM wallets WHERE customer_id = ANY(@Ids)";

        public const string MoveCards = """
            UPDATE wallet_cards
               SET wallet_id = (SELECT wallet_id FROM wallets WHERE customer_id = @Into)
             WHERE wallet_id = (SELECT wallet_id FROM wallets WHERE customer_id = @From)
            """;
    }
}
