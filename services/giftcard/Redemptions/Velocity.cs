using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Redemptions;

/// <summary>
/// The merchant's limits on how often and for how much one card or one terminal redeems within an hour or a day. A
/// redemption is counted before it is written, and given back when nothing comes of it; so of many at once no more pass
/// than the limit allows, and a crash in between counts one too many, never one too few. Merchants without limits cost
/// nothing.
/// </summary>
internal sealed class Velocity(Database database, TimeProvider time)
{
    /// <summary>One row of velocity_counters, and what this redemption adds to it.</summary>
    internal sealed record Counter(
        MerchantId MerchantId,
        Guid SubjectId,
        VelocityLimit Limit,
        DateTimeOffset Since,
        string Currency,
        long Amount
    );

    /// <summary>
    /// Counts the redemption everywhere or nowhere, and returns what to give back should it be refused. Refusals:
    /// velocity_limit, invalid_request (a terminal is limited and none named).
    /// </summary>
    public async Task<IReadOnlyList<Counter>> CountAsync(
        MerchantId merchant,
        MerchantRules rules,
        RedemptionRequest request,
        RedemptionPlan plan,
        CancellationToken cancel
    )
    {
        if (rules.VelocityLimits is not { Count: > 0 } limits)
        {
            return [];
        }

        var counters = CountersOf(merchant, limits, request, plan);
        await using var db = await database.BeginAsync(cancel);
        foreach (var counter in counters)
        {
            var isBelow =
                !(counter.Limit.Amount?.MinorUnits < counter.Amount)
                && await db.ExecuteAsync(Sql.Count, Arguments(counter)) == 1;
            if (!isBelow)
            {
                throw Exceeded(counter);
            }
        }

        await db.CommitAsync();
        return counters;
    }

    /// <summary>Takes the counts back of a redemption that was refused.</summary>
    public async Task GiveBackAsync(IReadOnlyList<Counter> counters)
    {
        if (counters.Count == 0)
        {
            return;
        }

        await using var db = await database.BeginAsync(CancellationToken.None);
        foreach (var counter in counters)
        {
            await db.ExecuteAsync(Sql.GiveBack, Arguments(counter));
        }

        await db.CommitAsync();
    }

    /// <summary>In one order, so that two redemptions do not wait for each other in a circle.</summary>
    private List<Counter> CountersOf(
        MerchantId merchant,
        IReadOnlyList<VelocityLimit> limits,
        RedemptionRequest request,
        RedemptionPlan plan
    )
    {
        var now = time.GetUtcNow();
        var asked = request.Amount;
        // How much of several cards is taken only the ledger knows: at most its maximum, or all.
        var cards = plan
            .Cards.Zip(request.Cards())
            .Select(pair =>
                (
                    pair.First.Row.GiftCardId.Value,
                    Math.Min(pair.Second.MaxAmount?.MinorUnits ?? long.MaxValue, asked.MinorUnits)
                )
            )
            .ToArray();
        return
        [
            .. limits
                .Where(limit => limit.Amount is null || limit.Amount.Value.Currency == asked.Currency)
                .SelectMany(limit =>
                    (limit.Per == LimitPer.Card ? cards : [(Terminal(request).Value, asked.MinorUnits)]).Select(
                        subject => new Counter(
                            merchant,
                            subject.Item1,
                            limit,
                            Begin(limit.Within, now),
                            asked.Currency.Code,
                            subject.Item2
                        )
                    )
                )
                .OrderBy(counter => counter.SubjectId)
                .ThenBy(counter => counter.Limit.Within),
        ];
    }

    private static TerminalId Terminal(RedemptionRequest request) =>
        request.TerminalId
        ?? throw new FaultException(
            CommonFaults.InvalidRequest,
            "The merchant limits its terminals: name the one.",
            new FieldError("/terminal_id", "required")
        );

    private static DateTimeOffset Begin(LimitWithin within, DateTimeOffset now) =>
        within == LimitWithin.Day
            ? new(now.UtcDateTime.Date, TimeSpan.Zero)
            : new(now.UtcDateTime.Date.AddHours(now.UtcDateTime.Hour), TimeSpan.Zero);

    private FaultException Exceeded(Counter counter)
    {
        var ends = counter.Limit.Within == LimitWithin.Day ? counter.Since.AddDays(1) : counter.Since.AddHours(1);
        return new(
            Faults.VelocityLimit,
            $"The merchant's limit per {Wire.Name(counter.Limit.Per)} and {Wire.Name(counter.Limit.Within)} is reached."
        )
        {
            Extensions = new Dictionary<string, object?>
            {
                ["per"] = Wire.Name(counter.Limit.Per),
                ["within"] = Wire.Name(counter.Limit.Within),
                ["retry_after_seconds"] = (long)Math.Ceiling((ends - time.GetUtcNow()).TotalSeconds),
            },
        };
    }

    private static object Arguments(Counter counter) =>
        new
        {
            counter.MerchantId,
            counter.SubjectId,
            Within = Wire.Name(counter.Limit.Within),
            counter.Since,
            counter.Currency,
            counter.Amount,
            MaxCount = counter.Limit.Count ?? int.MaxValue,
            MaxAmount = counter.Limit.Amount?.MinorUnits ?? long.MaxValue,
        };

    private static class Sql
    {
        // The row is locked while it is compared: of many at once the limit lets through as many as it says.
        public const string Count = """
            INSERT INTO velocity_counters AS c (merchant_id, subject_id, within, since, currency, redemptions, amount)
            VALUES (@MerchantId, @SubjectId, @Within, @Since, @Currency, 1, @Amount)
                ON CONFLICT (merchant_id, subject_id, within, since, currency) DO UPDATE
               SET redemptions = c.redemptions + 1, amount = c.amount + @Amount
             WHERE c.redemptions < @MaxCount
               AND c.amount <= @MaxAmount - @Amount
            """;

        public const string GiveBack = """
            UPDATE velocity_counters
               SET redemptions = redemptions - 1, amount = amount - @Amount
             WHERE merchant_id = @MerchantId
               AND subject_id = @SubjectId
               AND within = @Within
               AND since = @Since
               AND currency = @Currency
            """;
    }
}
