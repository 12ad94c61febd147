using System.Security.Cryptography;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Cards;

/// <summary>
/// What names a card in a request body: its code, with the PIN if it has one; or, for its issuer, its id.
/// </summary>
internal sealed record CardCredential(string? Code = null, string? Pin = null, GiftCardId? Id = null)
{
    public void Check(FieldChecks checks, string pointer) =>
        checks
            .Require((Code is null) != (Id is null), pointer, "code_or_id")
            .Pasted(Code, $"{pointer}/code", CardCode.MaxInputLength)
            .Pasted(Pin, $"{pointer}/pin", CardSecrets.MaxPinLength);
}

/// <summary>A card that may be used at the asking merchant, with its programme's terms and its value lots.</summary>
internal sealed record UsableCard(CardRow Row, string Partial, int CommissionBasisPoints, IReadOnlyList<LotRow> Lots);

/// <summary>
/// Who wants to spend, and where.
/// </summary>
/// <param name="HandedOverAt"> When the goods were handed over, if that is past (an offline till's items): a card that
/// was good then and has expired or was replaced since is found too. What is left to pay with is for the caller to find
/// out.
/// </param>
internal sealed record Spending(
    MerchantIdentity Caller,
    LocationId? Location = null,
    DateTimeOffset? HandedOverAt = null
);

/// <summary>
/// Finds cards from their codes. A code that is absent or wrong, a PIN that is wrong or missing, a card that is
/// blocked, locked, closed or another merchant's: all are the same refusal, and all cost the same (one hash, one query,
/// as many PIN hashes as PINs were sent, one write). What a found row still costs more is hidden by <see
/// cref="MissTime"/>, so neither the answer nor its time tells a guesser anything. A text that can be no code is
/// refused alike and is no guess: whoever wants to guess needs codes of the right form. Who has guessed too often, as a
/// merchant or from an address, is refused with quota_exceeded before anything is looked at.
/// </summary>
internal sealed class CardFinder(
    CardLookup lookup,
    Database database,
    CardSecrets secrets,
    RateLimits limits,
    TimeProvider time,
    ILogger<CardFinder> log
)
{
    /// <summary>No miss is answered sooner: several times what the dearest kind takes.</summary>
    private static readonly TimeSpan MissTime = TimeSpan.FromMilliseconds(50);

    private static readonly byte[] NoSalt = new byte[16];

    /// <summary>The cards in the order of the credentials, to look at. Refuses if any can not be used.</summary>
    public async Task<IReadOnlyList<UsableCard>> FindAsync(
        MerchantIdentity caller,
        IReadOnlyList<CardCredential> credentials,
        CancellationToken cancel
    ) => [.. (await FindAsync(new Spending(caller), credentials, cancel)).Select(f => f.Card)];

    /// <summary>
    /// The cards in the order of the credentials, to spend from at a location: also refuses not_accepted_here.
    /// </summary>
    public async Task<IReadOnlyList<UsableCard>> FindForSpendingAsync(
        Spending spending,
        IReadOnlyList<CardCredential> credentials,
        CancellationToken cancel
    )
    {
        var found = await FindAsync(spending, credentials, cancel);
        return found.All(f => f.GoodAtLocation)
            ? [.. found.Select(f => f.Card)]
            : throw new FaultException(Faults.NotAcceptedHere, "The gift card is not accepted at this location.");
    }

    private async Task<List<(UsableCard Card, bool GoodAtLocation)>> FindAsync(
        Spending spending,
        IReadOnlyList<CardCredential> credentials,
        CancellationToken cancel
    )
    {
        var merchant = spending.Caller.MerchantId;
        var asked = time.GetTimestamp();
        if (spending.HandedOverAt is null)
        {
            // What an offline till took is said once, and refused for what it is.
            await RequireLimitsAsync(spending.Caller, credentials, cancel);
        }

        var codes = credentials.Select(c => c.Code is { } code ? CardCode.Normalise(code) : null).ToArray();
        var hashes = codes.Select(code => code is null ? [] : secrets.HashesOfCode(code)).ToArray();
        await Failpoints.BeforeAsync("Verify");
        var (found, lots) = await lookup.ReadAsync(
            new(
                spending.Caller,
                spending.Location,
                [.. hashes.SelectMany(of => of)],
                [.. credentials.Where(c => c.Id is not null).Select(c => c.Id!.Value)]
            ),
            cancel
        );
        var now = time.GetUtcNow();
        var at = spending.HandedOverAt ?? now;
        var cards = new List<(UsableCard Card, bool GoodAtLocation)>();
        foreach (var (credential, code, possible) in credentials.Zip(codes, hashes))
        {
            var card = found.FirstOrDefault(f =>
                credential.Id is { } id
                    ? f.Row.GiftCardId == id && f.Row.MerchantId == merchant
                    : Array.Exists(possible, hash => f.Terms.CodeHash.AsSpan().SequenceEqual(hash))
            );
            if (!await MayUseAsync(card, credential, spending, cancel) || card is null)
            {
                if (code is null || CardCode.MayBeGuess(code))
                {
                    await CountMissAsync(spending.Caller, cancel);
                }

                var left = MissTime - time.GetElapsedTime(asked);
                await Task.Delay(left > TimeSpan.Zero ? left : TimeSpan.Zero, time, cancel);
                throw new FaultException(Faults.GiftCardNotUsable, "The gift card can not be used.");
            }

            await Failpoints.CommittedAsync("Verify");
            if (card.Row.ExpiresAt <= at || card.Row.Status == CardStatus.Expired && spending.HandedOverAt is null)
            {
                throw new FaultException(Faults.GiftCardState, "The gift card has expired.");
            }

            var usable = new UsableCard(
                card.Row,
                card.Terms.Partial,
                card.Row.MerchantId == merchant ? 0 : card.Terms.CommissionBasisPoints,
                [.. lots.Where(l => l.GiftCardId == card.Row.GiftCardId)]
            );
            cards.Add((usable, card.Terms.GoodAtLocation));
        }

        return cards;
    }

    private async Task RequireLimitsAsync(
        MerchantIdentity caller,
        IReadOnlyList<CardCredential> credentials,
        CancellationToken cancel
    )
    {
        limits.RequireLeft(RateLimit.Guess, caller.MerchantId);
        limits.RequireLeft(RateLimit.GuessAddress, caller.From);
        for (var pins = credentials.Count(c => c.Pin is not null); pins > 0; pins--)
        {
            await limits.RequireAsync(RateLimit.Pin, caller.MerchantId, cancel);
        }
    }

    /// <summary>
    /// Whether the card is there, good at this merchant and open to this PIN. Whoever names the card by its id has
    /// proved to be its issuer; everybody else needs the PIN.
    /// </summary>
    private async Task<bool> MayUseAsync(
        FoundCard? card,
        CardCredential credential,
        Spending spending,
        CancellationToken cancel
    )
    {
        // The hash is made whether or not it is needed: what is sent decides the cost, not what is stored.
        var pins = credential.Pin is { } typed
            ? secrets.HashesOfPin(CardCode.Fold(typed), card?.Terms.PinSalt ?? NoSalt)
            : [];
        return card is not null
            && (card.Terms.PinHash is null || credential.Id is not null || await IsRightPinAsync(card, pins, cancel))
            && (card.Row.MerchantId == spending.Caller.MerchantId || card.Terms.AcceptedHere)
            && (
                card.Row.Status is CardStatus.Active or CardStatus.Expired
                || card.Row.Status is CardStatus.Replaced or CardStatus.Closed && spending.HandedOverAt is not null
            )
            && (card.Terms.PinLockedUntil is not { } until || until <= time.GetUtcNow());
    }

    /// <summary>
    /// Compares under the card's lock, one try after the other: of any number of wrong PINs at once the fifth locks the
    /// card, and behind it even the right one is not looked at.
    /// </summary>
    private async Task<bool> IsRightPinAsync(FoundCard card, byte[][] pins, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        if (card.Terms.PinLockedUntil > now)
        {
            return false;
        }

        // The card may be another issuer's, who is told of its lock.
        using var all = RowSecurity.ForAll();
        await using var db = await database.BeginAsync(cancel);
        var tries = await db.QuerySingleAsync<PinTries>(Sql.LockPin, new { card.Row.GiftCardId });
        if (tries.PinLockedUntil > now)
        {
            return false;
        }

        var isRight = Array.Exists(pins, pin => CryptographicOperations.FixedTimeEquals(pin, card.Terms.PinHash));
        if (isRight && tries.PinFailures == 0)
        {
            return true;
        }

        // Counted anew when the lock falls.
        var failures = isRight ? 0 : (tries.PinFailures + 1) % CardSecrets.PinTries;
        var isLocked = !isRight && failures == 0;
        var version = await db.QuerySingleAsync<long>(
            Sql.CountPin,
            new
            {
                card.Row.GiftCardId,
                Failures = failures,
                LockedUntil = isLocked ? now + CardSecrets.PinLock : (DateTimeOffset?)null,
            }
        );
        if (isLocked)
        {
            await TellLockedAsync(db, card.Row, version);
        }

        await db.CommitAsync();
        return isRight;
    }

    private static Task TellLockedAsync(DbSession db, CardRow row, long version)
    {
        Telemetry.PinLocks.Add(1);
        var id = row.GiftCardId;
        return db.PublishAsync(
            CardEvents.Topic,
            "gift_card.pin_locked",
            id.ToString(),
            version,
            row.MerchantId,
            new CardEventData(id, row.ProgramId, row.Last4, null, row.Currency, row.CustomerId)
        );
    }

    /// <summary>
    /// Counts a miss, and tells somebody when a merchant's misses in a minute are no slips of a hand any
    /// more.
    /// </summary>
    private async Task CountMissAsync(MerchantIdentity caller, CancellationToken cancel)
    {
        var merchant = caller.MerchantId;
        await limits.CountAsync(RateLimit.Guess, merchant, cancel);
        await limits.CountAsync(RateLimit.GuessAddress, caller.From, cancel);
        var now = time.GetUtcNow();
        var minute = new DateTimeOffset(now.Ticks - (now.Ticks % TimeSpan.TicksPerMinute), TimeSpan.Zero);
        await using var db = await database.BeginAsync(cancel);
        var misses = await db.QuerySingleAsync<long>(Sql.Miss, new { MerchantId = merchant, Minute = minute });
        await db.CommitAsync();
        Telemetry.CodeMisses.Add(1);
        if (misses == GiftcardLimits.MissesUntilAlarm)
        {
            Telemetry.Guessers.Add(1);
            log.GuessingSuspected(merchant, misses);
        }
    }

    private sealed record PinTries(int PinFailures, DateTimeOffset? PinLockedUntil);

    private static class Sql
    {
        public const string LockPin = """
            SELECT pin_failures, pin_locked_until
              FROM gift_cards
             WHERE gift_card_id = @GiftCardId
               FOR NO KEY UPDATE
            """;

        // A lock changes what the card may do, a mere count does not: what is being planned for it still holds.
        public const string CountPin = """
            UPDATE gift_cards
               SET pin_failures = @Failures,
                   pin_locked_until = coalesce(@LockedUntil, pin_locked_until),
                   version = version + CASE WHEN @LockedUntil::timestamptz IS NULL THEN 0 ELSE 1 END
             WHERE gift_card_id = @GiftCardId
            RETURNING version
            """;

        // One statement for every kind of miss.
        public const string Miss = """
            INSERT INTO code_misses (merchant_id, minute, misses)
            VALUES (@MerchantId, @Minute, 1)
                ON CONFLICT (merchant_id, minute) DO UPDATE
               SET misses = code_misses.misses + 1
            RETURNING misses
            """;
    }
}
