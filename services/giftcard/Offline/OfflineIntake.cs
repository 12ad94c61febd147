using System.Security.Cryptography;
using LocalPlus.Giftcard.Redemptions;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Offline;

/// <summary>
/// Writes offline items down, each once: under the allowance's lock, at the end of its chain, together with the intent
/// of the redemption that pays for it.
/// </summary>
internal sealed class OfflineIntake(
    Database database,
    RedemptionPlanner planner,
    CreateRedemption.Intake redemptions,
    TimeProvider time
)
{
    private sealed record AllowanceRow(
        OfflineAllowanceId AllowanceId,
        long Accepted,
        int LastCounter,
        byte[] LastHash,
        LocationId? LocationId,
        DateTimeOffset? RevokedAt
    );

    /// <summary>
    /// Refuses a batch that does not continue, or repeat, what is known of its chain: with offline_gap when items
    /// before it are missing, with offline_chain_broken when an item is not what it was or was changed after it was
    /// linked.
    /// </summary>
    public async Task CheckChainAsync(OfflineAllowanceId id, IReadOnlyList<OfflineItem> items, CancellationToken cancel)
    {
        var first = items[0].Counter;
        var known = (
            await database.QueryAsync<(int Counter, byte[] Hash)>(
                Sql.Known,
                new
                {
                    AllowanceId = id,
                    From = first - 1,
                    To = items[^1].Counter,
                },
                cancel
            )
        ).ToDictionary(k => k.Counter, k => k.Hash);
        var previous =
            first == 1
                ? (
                    await database.QuerySingleOrDefaultAsync<byte[]>(Sql.FirstLink, new { AllowanceId = id }, cancel)
                    ?? throw new FaultException(Faults.OfflineAllowanceInvalid, "The allowance is not known.")
                )
                : known.GetValueOrDefault(first - 1)
                    ?? throw new FaultException(Faults.OfflineGap, $"Item {first - 1} has not come yet.");
        foreach (var item in items)
        {
            var hash = item.HashAfter(previous);
            if (!IsHash(item, hash) || known.TryGetValue(item.Counter, out var stored) && !IsHash(item, stored))
            {
                throw Broken(item);
            }

            previous = hash;
        }
    }

    /// <summary>The item's row: a new one, or the one that the same item has already.</summary>
    public async Task<OfflineItemRow> AcceptAsync(
        MerchantIdentity caller,
        AllowanceClaims claims,
        OfflineItem item,
        CancellationToken cancel
    )
    {
        var merchant = caller.MerchantId;
        if (await FindAsync(claims.Jti, item.Counter, cancel) is { } known)
        {
            return Same(known, item);
        }

        var refusal = Refusal(claims, item);
        var (plan, fault) = refusal is null ? await PlanAsync(caller, claims, item, cancel) : (null, refusal);
        try
        {
            return await WriteAsync(merchant, claims, item, plan, fault, isRefused: refusal is not null, cancel);
        }
        catch (FaultException twice) when (twice.Fault == CommonFaults.ReferenceReused)
        {
            // The till had reached us with this ticket before it went offline: the item is that payment once more.
            return await WriteAsync(merchant, claims, item, null, twice.Fault.Code, isRefused: true, cancel);
        }
    }

    /// <summary>The item that has this place, if it is this one.</summary>
    private static OfflineItemRow Same(OfflineItemRow known, OfflineItem item) =>
        IsHash(item, known.Hash) ? known : throw Broken(item);

    private static bool IsHash(OfflineItem item, byte[] hash) =>
        CryptographicOperations.FixedTimeEquals(Convert.FromHexString(item.Hash), hash);

    private static FaultException Broken(OfflineItem item) =>
        new(Faults.OfflineChainBroken, $"Item {item.Counter} is not linked to the one before it.");

    private static string? Refusal(AllowanceClaims claims, OfflineItem item) =>
        item.Amount.Currency.Code != claims.Currency ? Faults.CurrencyMismatch.Code
        : item.OccurredAt > DateTimeOffset.FromUnixTimeSeconds(claims.Exp) ? Faults.LimitExceeded.Code
        : item.Amount.MinorUnits > claims.CardCap ? Faults.LimitExceeded.Code
        : null;

    private async Task<(RedemptionPlan? Plan, string? Fault)> PlanAsync(
        MerchantIdentity caller,
        AllowanceClaims claims,
        OfflineItem item,
        CancellationToken cancel
    )
    {
        try
        {
            var payment = Payment(claims, item, null);
            var plan = await planner.PlanAsync(caller, payment, cancel, HandedOverAt(claims, item));
            await redemptions.AccountsAsync(caller.MerchantId, payment, plan, cancel);
            return (plan, plan.Legs.Count == 0 ? Faults.InsufficientBalance.Code : null);
        }
        catch (FaultException unusable) when (unusable.Fault.IsFinal)
        {
            return (null, unusable.Fault.Code);
        }
    }

    private async Task<OfflineItemRow> WriteAsync(
        MerchantId merchant,
        AllowanceClaims claims,
        OfflineItem item,
        RedemptionPlan? plan,
        string? fault,
        bool isRefused,
        CancellationToken cancel
    )
    {
        await using var db = await database.BeginAsync(cancel);
        var allowance = await db.QuerySingleAsync<AllowanceRow>(Sql.Lock, new { AllowanceId = claims.Jti });
        if (item.Counter <= allowance.LastCounter)
        {
            return Same((await FindAsync(claims.Jti, item.Counter, cancel))!, item);
        }

        // Another batch may have come in between since the chain was looked at.
        if (item.Counter != allowance.LastCounter + 1 || !IsHash(item, item.HashAfter(allowance.LastHash)))
        {
            throw Broken(item);
        }

        var card = plan?.Cards[0].Row.GiftCardId;
        var amount = item.Amount.MinorUnits;
        var spent = card is null
            ? 0
            : await db.QuerySingleAsync<long>(Sql.OfCard, new { AllowanceId = claims.Jti, GiftCardId = card });
        if (!isRefused && (allowance.Accepted + amount > claims.TotalCap || spent + amount > claims.CardCap))
        {
            (plan, fault, isRefused) = (null, Faults.LimitExceeded.Code, true);
        }

        if (!isRefused && item.OccurredAt > allowance.RevokedAt)
        {
            (plan, fault, isRefused) = (null, Faults.OfflineAllowanceInvalid.Code, true);
        }

        var intent = plan is null or { Legs.Count: 0 }
            ? null
            : await redemptions.WriteAsync(
                db,
                RedemptionId.New(time),
                merchant,
                null,
                Payment(claims, item, allowance.LocationId),
                plan,
                cancel
            );
        var now = time.GetUtcNow();
        var row = await db.QuerySingleAsync<OfflineItemRow>(
            Sql.Insert,
            new
            {
                ItemId = Guid.CreateVersion7(now),
                AllowanceId = claims.Jti,
                item.Counter,
                MerchantId = merchant,
                Hash = Convert.FromHexString(item.Hash),
                GiftCardId = card,
                Amount = amount,
                Currency = item.Amount.Currency.Code,
                State = isRefused ? "refused" : "pending",
                RedemptionId = intent?.Row.Id,
                FaultCode = fault,
                DriveAfter = isRefused ? (DateTimeOffset?)null : now + GiftcardLimits.TakeOver,
                item.OccurredAt,
                Now = now,
                Accepted = isRefused ? 0 : amount,
            }
        );
        await db.CommitAsync();
        return row;
    }

    /// <summary>
    /// When the goods were handed over, by the till's clock, which counts within the allowance's time and not ahead of
    /// ours: beyond that a till could choose an hour at which a card was still good.
    /// </summary>
    private DateTimeOffset? HandedOverAt(AllowanceClaims claims, OfflineItem item) =>
        item.OccurredAt >= DateTimeOffset.FromUnixTimeSeconds(claims.Iat) && item.OccurredAt <= time.GetUtcNow()
            ? item.OccurredAt.ToUniversalTime()
            : null;

    /// <summary>The payment behind an item: what there is, at once.</summary>
    private static RedemptionRequest Payment(AllowanceClaims claims, OfflineItem item, LocationId? location) =>
        new(
            Mode.Immediate,
            item.Amount,
            [new(item.GiftCard)],
            Partial.Allow,
            location,
            claims.Sub,
            HoldTtlSeconds: null,
            item.Reference,
            new Dictionary<string, string>
            {
                ["offline_allowance"] = claims.Jti.ToString(),
                ["offline_counter"] = $"{item.Counter}",
            }
        );

    private Task<OfflineItemRow?> FindAsync(OfflineAllowanceId id, int counter, CancellationToken cancel) =>
        database.QuerySingleOrDefaultAsync<OfflineItemRow>(
            Sql.Find,
            new { AllowanceId = id, Counter = counter },
            cancel
        );

    private static class Sql
    {
        public const string Find =
            $"{OfflineItemRow.Columns} WHERE i.allowance_id = @AllowanceId AND i.counter = @Counter";

        public const string FirstLink = "SELECT first_link FROM offline_allowances WHERE allowance_id = @AllowanceId";

        public const string Known = """
            SELECT counter, hash
              FROM offline_items
             WHERE allowance_id = @AllowanceId
               AND counter BETWEEN @From AND @To
            """;

        public const string Lock = """
            SELECT allowance_id, accepted, last_counter, last_hash, location_id, revoked_at
              FROM offline_allowances
             WHERE allowance_id = @AllowanceId
               FOR NO KEY UPDATE
            """;

        public const string OfCard = """
            SELECT coalesce(sum(amount), 0)::bigint
              FROM offline_items
             WHERE allowance_id = @AllowanceId
               AND gift_card_id = @GiftCardId
               AND state <> 'refused'
            """;

        public const string Insert = $"""
            UPDATE offline_allowances
               SET accepted = accepted + @Accepted, last_counter = @Counter, last_hash = @Hash
             WHERE allowance_id = @AllowanceId;
            INSERT INTO offline_items AS i (item_id, allowance_id, counter, merchant_id, hash, gift_card_id, amount,
                   currency, state, redemption_id, fault_code, drive_after, occurred_at, created_at, finished_at)
            VALUES (@ItemId, @AllowanceId, @Counter, @MerchantId, @Hash, @GiftCardId, @Amount, @Currency, @State,
                   @RedemptionId, @FaultCode, @DriveAfter, @OccurredAt, @Now,
                   CASE WHEN @State = 'refused' THEN @Now END)
            RETURNING {OfflineItemRow.Fields}
            """;
    }
}
