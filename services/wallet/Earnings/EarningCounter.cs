using System.Diagnostics;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Members;
using LocalPlus.Wallet.Points;
using LocalPlus.Wallet.Programs;
using LocalPlus.Wallet.Rules;
using Npgsql;

namespace LocalPlus.Wallet.Earnings;

/// <summary>
/// Counts purchases; those that come at the same time in one transaction. The members are locked, then the budgets of
/// the campaigns that are for them, so neither a cap nor a budget is overdrawn by whoever asks at once. Of a member's
/// purchases each is judged by what the one before has left.
/// </summary>
internal sealed class EarningCounter
{
    private const string ReferenceIndex = "earnings_merchant_id_reference_key";

    private readonly EarningRules rules;
    private readonly TimeProvider time;
    private readonly ILogger<EarningCounter> log;
    private readonly IdempotentGroup<Ask, IReadOnlyList<MovementId>> group;

    public EarningCounter(
        EarningRules rules,
        Database database,
        FingerprintKeys fingerprints,
        TimeProvider time,
        ILogger<EarningCounter> log
    )
    {
        (this.rules, this.time, this.log) = (rules, time, log);
        group = new(database, fingerprints, time, CountAllAsync);
    }

    /// <summary>The answer, once it is durable, and what the ledger is to be told then.</summary>
    public async Task<(Answer Answer, IReadOnlyList<MovementId>? Unbooked)> CountAsync(
        HttpContext http,
        CreateEarning.Request request,
        CancellationToken cancel
    )
    {
        var ask = new Ask(http.GetMerchant(), request, Activity.Current?.Id);
        try
        {
            return await group.ExecuteAsync(http, request, ask, cancel);
        }
        catch (PostgresException taken) when (taken.ConstraintName == ReferenceIndex)
        {
            // Another replica was quicker with the reference; it is seen now.
            return await group.ExecuteAsync(http, request, ask, cancel);
        }
    }

    /// <summary>
    /// What earned points are worth and who pays for it, when they may be spent from now on; points last as long as the
    /// programme says now.
    /// </summary>
    public static PointsOrigin Origin(
        MemberPoints points,
        EarningId earning,
        MerchantId earnedAt,
        long amount,
        DateTimeOffset now
    )
    {
        var value = points.Terms.PointValue.Of(amount);
        var isPartner = earnedAt != points.Member.MerchantId;
        var funding = isPartner ? points.Program.Partner(earnedAt)?.FundingBasisPoints ?? 0 : 0;
        return new(
            MovementKind.Earn,
            value,
            points.Terms.ExpiryOf(now),
            earning,
            isPartner ? earnedAt : null,
            (long)((Int128)value * funding / 10_000)
        );
    }

    private async Task<IReadOnlyList<Effect<IReadOnlyList<MovementId>>>> CountAllAsync(
        DbSession db,
        IReadOnlyList<Ask> asks
    )
    {
        var now = Stored(time.GetUtcNow());
        var members = await MemberPoints.LockAllAsync(db, asks.Select(ask => ask.Request.MemberId), time);
        var holders = await HoldersAsync(db, asks);
        var outcomes = asks.Select(ask => Judgeable(ask, members, holders, now)).ToArray();
        var purchases = outcomes.Select(outcome => outcome.Purchase).OfType<Asked>().ToArray();
        await JudgeAsync(db, purchases, now);
        if (purchases.Length > 0)
        {
            await db.ExecuteAsync(Sql.Add, Rows(purchases, now));
        }

        await MemberPoints.WriteAllAsync(db, [.. members.Values], now);
        return
        [
            .. outcomes.Select(outcome =>
                outcome.Refusal is { } refusal
                    ? Effect<IReadOnlyList<MovementId>>.Of(refusal)
                    : Effect<IReadOnlyList<MovementId>>.Of(
                        Answer.Created($"/v1/earnings/{outcome.Purchase!.Id}", outcome.Purchase.ToView(now)),
                        outcome.Purchase.Unbooked
                    )
            ),
        ];
    }

    /// <summary>A purchase that will be counted, or why it will not.</summary>
    private (Asked? Purchase, FaultException? Refusal) Judgeable(
        Ask ask,
        IReadOnlyDictionary<MemberId, MemberPoints> members,
        Dictionary<(MerchantId, string), EarningId> holders,
        DateTimeOffset now
    )
    {
        var (merchant, request, _) = ask;
        var at = Stored(request.OccurredAt ?? now);
        try
        {
            var points = members.GetValueOrDefault(request.MemberId);
            if (points is null || !points.Program.IsTakenPartInBy(merchant, at))
            {
                throw MemberStore.Absent();
            }

            var terms = points.Terms;
            MemberStore.RequireActive(points.Member);
            Basket.RequireEarns(points.Program, terms, merchant.MerchantId, request.Amount, request.LocationId);
            var id = EarningId.New(time);
            if (!holders.TryAdd((merchant.MerchantId, request.Reference), id))
            {
                throw CommonFaults.ReferenceReusedBy(holders[(merchant.MerchantId, request.Reference)]);
            }

            // What may be returned no more when it is told counts at once.
            var release =
                request.ReleaseAt ?? (terms.ReleaseOf(at, request.LocationId) is { } end && end > now ? end : null);
            return (
                new(
                    id,
                    ask,
                    points,
                    Purchase.At(
                        Basket.Lines(request.Amount, request.Lines),
                        request.LocationId,
                        at,
                        terms.ZoneOf(request.LocationId)
                    ),
                    at,
                    release is { } until ? Stored(until) : null
                ),
                null
            );
        }
        catch (FaultException refusal)
        {
            return (null, refusal);
        }
    }

    private async Task JudgeAsync(DbSession db, Asked[] purchases, DateTimeOffset now)
    {
        var inForce = await rules.InForceAsync(
            db,
            Array.ConvertAll(
                purchases,
                one => new RulesAsk(one.Points.Program, one.Points.Member.MemberId, one.Purchase.DayNumber, one.At)
            )
        );
        var given = new GivenPoints(await LockBudgetsAsync(db, purchases, inForce));
        var qualifying = await Tiers.QualifyingAsync(db, purchases.Select(one => one.Points).Distinct(), now);
        foreach (var (one, before) in purchases.Zip(inForce))
        {
            var member = one.Points.Member;
            one.Facts = Facts(member);
            one.Judged = Judgement.Of(
                one.Points.Program,
                one.Points.Terms,
                before.With((rule, use) => given.Until(member.MemberId, rule, one.Purchase.DayNumber, use)),
                one.Purchase,
                one.Facts
            );
            given.Add(member.MemberId, one.Purchase.DayNumber, one.Judged);
            member.Purchases++;
            Move(one, qualifying, now);
            one.Unbooked = one.Points.TakeUnbooked();
            log.EarningCounted(one.Id, member.MemberId, one.Judged.Points);
        }

        await given.WriteAsync(db);
    }

    private static void Move(Asked one, Dictionary<MemberId, long> qualifying, DateTimeOffset now)
    {
        var (points, judged, trace) = (one.Points, one.Judged, one.Ask.Trace);
        if (points.Terms is { Expiry.Kind: ExpiryKind.AfterActivity } && points.Terms.ExpiryOf(now) is { } until)
        {
            points.Prolong(now, until);
        }

        if (points.Terms.Tiers is { } tiers)
        {
            var earned = qualifying.GetValueOrDefault(points.Member.MemberId);
            earned += one.State == EarningRow.Earned && one.At > Tiers.Since(tiers, now) ? judged.Points : 0;
            qualifying[points.Member.MemberId] = earned;
            Tiers.Promote(points, earned, now, trace);
        }

        if (judged.Points == 0)
        {
            points.RecordChange();
            return;
        }

        var movement = one.ReleaseAt is not null
            ? points.Account.Pend(judged.Points)
            : points.Account.Earn(
                judged.Points,
                Origin(points, one.Id, one.Ask.Merchant.MerchantId, judged.Points, now),
                now
            );
        points.Record(movement, new(one.At, one.Id, Awards: StoredJson.Write(judged.Awards)), trace);
    }

    /// <summary>Who has these references already; a reference counts once for ever.</summary>
    private static async Task<Dictionary<(MerchantId, string), EarningId>> HoldersAsync(
        DbSession db,
        IReadOnlyList<Ask> asks
    ) =>
        (
            await db.QueryAsync<HolderRow>(
                Sql.Holders,
                new
                {
                    MerchantIds = asks.Select(ask => ask.Merchant.MerchantId).ToArray(),
                    References = asks.Select(ask => ask.Request.Reference).ToArray(),
                }
            )
        )
            .DistinctBy(row => row.EarningId)
            .ToDictionary(row => (row.MerchantId, row.Reference), row => row.EarningId);

    /// <summary>
    /// What is left of the campaigns for these; all of those of a member that comes more than once, whose tier may
    /// change on the way.
    /// </summary>
    private static async Task<IReadOnlyDictionary<EarningRuleId, long>> LockBudgetsAsync(
        DbSession db,
        Asked[] purchases,
        IReadOnlyList<RulesInForce> inForce
    )
    {
        var several = purchases.GroupBy(one => one.Points).Where(own => own.Count() > 1).Select(own => own.Key);
        var again = several.ToHashSet();
        var campaigns = purchases
            .Zip(inForce)
            .SelectMany(x =>
                again.Contains(x.First.Points)
                    ? x.Second.Rules.Where(rule => rule.Use.BudgetLeft is not null).Select(rule => rule.RuleId)
                    : x.Second.Campaigns(x.First.Purchase, Facts(x.First.Points.Member))
            )
            .Distinct()
            .ToArray();
        return campaigns.Length == 0
            ? new Dictionary<EarningRuleId, long>()
            : (await db.QueryAsync<BudgetRow>(Sql.LockBudgets, new { RuleIds = campaigns })).ToDictionary(
                row => row.RuleId,
                row => row.BudgetLeft
            );
    }

    private static MemberFacts Facts(MemberRow member) => new(member.Tier, member.Purchases == 0, member.BirthMonth);

    private static object Rows(Asked[] purchases, DateTimeOffset now)
    {
        // In one order by everybody: who meets another's reference waits for it.
        var rows = purchases
            .OrderBy(one => one.Ask.Merchant.MerchantId.Value)
            .ThenBy(one => one.Ask.Request.Reference, StringComparer.Ordinal)
            .ToArray();
        return new
        {
            EarningIds = Array.ConvertAll(rows, one => one.Id),
            MerchantIds = Array.ConvertAll(rows, one => one.Ask.Merchant.MerchantId),
            ProgramIds = Array.ConvertAll(rows, one => one.Points.Program.ProgramId),
            MemberIds = Array.ConvertAll(rows, one => one.Points.Member.MemberId),
            References = Array.ConvertAll(rows, one => one.Ask.Request.Reference),
            States = Array.ConvertAll(rows, one => one.State),
            Purchases = Array.ConvertAll(rows, one => StoredJson.Write(one.ToStored())),
            Points = Array.ConvertAll(rows, one => one.Judged.Points),
            OccurredAts = Array.ConvertAll(rows, one => one.At.UtcDateTime),
            ReleaseAts = Array.ConvertAll(rows, one => one.ReleaseAt?.UtcDateTime),
            CreatedAt = now,
        };
    }

    /// <summary>As PostgreSQL keeps it.</summary>
    private static DateTimeOffset Stored(DateTimeOffset at) => at.AddTicks(-(at.Ticks % TimeSpan.TicksPerMicrosecond));

    /// <param name="Trace">The request's, which events go on with.</param>
    private sealed record Ask(MerchantIdentity Merchant, CreateEarning.Request Request, string? Trace);

    /// <summary>A purchase on its way.</summary>
    private sealed record Asked(
        EarningId Id,
        Ask Ask,
        MemberPoints Points,
        Purchase Purchase,
        DateTimeOffset At,
        DateTimeOffset? ReleaseAt
    )
    {
        public MemberFacts Facts { get; set; }

        public Judgement Judged { get; set; } = null!;

        public IReadOnlyList<MovementId> Unbooked { get; set; } = [];

        public string State => ReleaseAt is null || Judged.Points == 0 ? EarningRow.Earned : EarningRow.Pending;

        public StoredPurchase ToStored() => Judged.ToStored(Purchase, Facts);

        public EarningView ToView(DateTimeOffset now)
        {
            var stored = ToStored();
            return new EarningRow(
                Id,
                Ask.Merchant.MerchantId,
                Points.Program.ProgramId,
                Points.Member.MemberId,
                Ask.Request.Reference,
                State,
                "",
                Points.Program.Currency,
                Judged.Points,
                TakenBack: 0,
                At,
                ReleaseAt,
                now
            ).ToView(stored);
        }
    }

    private sealed record HolderRow(MerchantId MerchantId, string Reference, EarningId EarningId);

    private sealed record BudgetRow(EarningRuleId RuleId, long BudgetLeft);

    private static class Sql
    {
        public const string Holders = """
            SELECT e.merchant_id, e.reference, e.earning_id
              FROM unnest(@MerchantIds, @References) AS a (merchant_id, reference)
              JOIN earnings e
                ON e.merchant_id = a.merchant_id
               AND e.reference = a.reference
            """;

        public const string Add = """
            INSERT INTO earnings (earning_id, merchant_id, program_id, member_id, reference, state, purchase, points,
                   occurred_at, release_at, created_at)
            SELECT *, @CreatedAt
              FROM unnest(@EarningIds, @MerchantIds, @ProgramIds, @MemberIds, @References, @States,
                          @Purchases::jsonb[], @Points, @OccurredAts, @ReleaseAts)
            """;

        // In one order by everybody: racing tills wait here for each other.
        public const string LockBudgets = """
            SELECT rule_id, budget - budget_spent AS budget_left
              FROM earning_rules
             WHERE rule_id = ANY(@RuleIds)
               AND budget IS NOT NULL
             ORDER BY rule_id
               FOR NO KEY UPDATE
            """;
    }
}
