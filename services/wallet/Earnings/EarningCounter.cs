using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Members;
using LocalPlus.Wallet.Points;
using LocalPlus.Wallet.Programs;
using LocalPlus.Wallet.Rules;

namespace LocalPlus.Wallet.Earnings;

/// <summary>
/// Counts a purchase in one transaction: the member is locked, then the budgets of the campaigns that are for it, so
/// neither a cap nor a budget is overdrawn by whoever asks at once.
/// </summary>
internal sealed class EarningCounter(EarningRules rules, TimeProvider time, ILogger<EarningCounter> log)
{
    public async Task<(EarningView View, IReadOnlyList<MovementId> Unbooked)> CountAsync(
        DbSession db,
        MerchantIdentity merchant,
        CreateEarning.Request request
    )
    {
        var now = time.GetUtcNow();
        var at = request.OccurredAt ?? now;
        var (found, program) = await MemberStore.GetAsync(db, merchant, request.MemberId, at);
        var terms = program.ToTerms();
        // What may be returned no more when it is told counts at once.
        if (request.ReleaseAt is null && terms.ReleaseOf(at, request.LocationId) is { } release && release > now)
        {
            request = request with { ReleaseAt = release };
        }

        MemberStore.RequireActive(found);
        Basket.RequireEarns(program, terms, merchant.MerchantId, request.Amount, request.LocationId);
        var id = EarningId.New(time);
        await RequireNewAsync(db, id, merchant, program, request, at, now);

        var points = await MemberPoints.LockAsync(db, request.MemberId, time);
        MemberStore.RequireActive(points.Member);
        var purchase = Purchase.At(
            Basket.Lines(request.Amount, request.Lines),
            request.LocationId,
            at,
            terms.ZoneOf(request.LocationId)
        );
        var facts = new MemberFacts(points.Member.Tier, points.Member.Purchases == 0, points.Member.BirthMonth);
        var inForce = await LockBudgetsAsync(
            db,
            await rules.InForceAsync(db, program, request.MemberId, purchase.DayNumber, at),
            purchase,
            facts
        );
        var judged = Judgement.Of(program, terms, inForce, purchase, facts);
        await db.ExecuteAsync(
            Sql.Judge,
            new
            {
                EarningId = id,
                Purchase = StoredJson.Write(judged.ToStored(purchase, facts)),
                judged.Points,
                State = request.ReleaseAt is null || judged.Points == 0 ? EarningRow.Earned : EarningRow.Pending,
            }
        );
        await UseAsync(db, request.MemberId, purchase.DayNumber, judged);
        points.Member.Purchases++;
        await MoveAsync(db, points, id, merchant.MerchantId, request, judged, at);
        log.EarningCounted(id, request.MemberId, judged.Points);
        var row = await db.QuerySingleAsync<EarningRow>(Sql.Get, new { EarningId = id });
        return (row.ToView(), points.Unbooked);
    }

    /// <summary>
    /// What earned points are worth and who pays for it, when they may be spent from now on; points last as long as the
    /// programme says now.
    /// </summary>
    public static async Task<PointsOrigin> OriginAsync(
        DbSession db,
        MemberPoints points,
        EarningId earning,
        MerchantId earnedAt,
        long amount,
        DateTimeOffset now
    )
    {
        var value = points.Terms.PointValue.Of(amount);
        var isPartner = earnedAt != points.Member.MerchantId;
        var funding = isPartner
            ? await db.QuerySingleOrDefaultAsync<int?>(
                Sql.Funding,
                new { points.Member.ProgramId, MerchantId = earnedAt }
            ) ?? 0
            : 0;
        return new(
            MovementKind.Earn,
            value,
            points.Terms.ExpiryOf(now),
            earning,
            isPartner ? earnedAt : null,
            (long)((Int128)value * funding / 10_000)
        );
    }

    private async Task MoveAsync(
        DbSession db,
        MemberPoints points,
        EarningId id,
        MerchantId earnedAt,
        CreateEarning.Request request,
        Judgement judged,
        DateTimeOffset at
    )
    {
        var now = time.GetUtcNow();
        if (points.Terms is { Expiry.Kind: ExpiryKind.AfterActivity } && points.Terms.ExpiryOf(now) is { } until)
        {
            points.Account.Prolong(now, until);
            await points.WriteExpiriesAsync(db);
        }

        await Tiers.PromoteAsync(db, points, now);
        if (judged.Points == 0)
        {
            await points.WriteMemberAsync(db);
            return;
        }

        var movement = request.ReleaseAt is not null
            ? points.Account.Pend(judged.Points)
            : points.Account.Earn(judged.Points, await OriginAsync(db, points, id, earnedAt, judged.Points, now), now);
        await points.WriteAsync(db, movement, new(at, id, Awards: StoredJson.Write(judged.Awards)));
    }

    /// <summary>The reference has the last word, before anything is counted: whoever came first has it.</summary>
    private static async Task RequireNewAsync(
        DbSession db,
        EarningId id,
        MerchantIdentity merchant,
        LoyaltyProgramRow program,
        CreateEarning.Request request,
        DateTimeOffset at,
        DateTimeOffset now
    )
    {
        var added = await db.ExecuteAsync(
            Sql.Add,
            new
            {
                EarningId = id,
                merchant.MerchantId,
                program.ProgramId,
                request.MemberId,
                request.Reference,
                OccurredAt = at,
                request.ReleaseAt,
                CreatedAt = now,
            }
        );
        if (added == 0)
        {
            throw CommonFaults.ReferenceReusedBy(
                await db.QuerySingleAsync<EarningId>(Sql.Holder, new { merchant.MerchantId, request.Reference })
            );
        }
    }

    private static async Task<RulesInForce> LockBudgetsAsync(
        DbSession db,
        RulesInForce inForce,
        Purchase purchase,
        MemberFacts facts
    )
    {
        var campaigns = inForce.Campaigns(purchase, facts);
        if (campaigns.Length == 0)
        {
            return inForce;
        }

        var rows = await db.QueryAsync<BudgetRow>(Sql.LockBudgets, new { RuleIds = campaigns });
        return inForce.With(rows.ToDictionary(row => row.RuleId, row => row.BudgetLeft));
    }

    /// <summary>What each rule has given, held against its caps and its budget from now on.</summary>
    private static async Task UseAsync(DbSession db, MemberId member, int dayNumber, Judgement judged)
    {
        var given = judged.Awards.Where(award => award.RuleId is not null && award.Points > 0).ToArray();
        if (given.Length > 0)
        {
            await db.ExecuteAsync(
                Sql.Use,
                new
                {
                    MemberId = member,
                    DayNumber = dayNumber,
                    RuleIds = Array.ConvertAll(given, award => award.RuleId!.Value),
                    Points = Array.ConvertAll(given, award => award.Points),
                }
            );
        }
    }

    private sealed record BudgetRow(EarningRuleId RuleId, long BudgetLeft);

    private static class Sql
    {
        // Judged later in the same transaction: the lock on the reference comes before all others.
        public const string Add = """
            INSERT INTO earnings (earning_id, merchant_id, program_id, member_id, reference, state, purchase, points,
                   occurred_at, release_at, created_at)
            VALUES (@EarningId, @MerchantId, @ProgramId, @MemberId, @Reference, 'earned', '{}', 0,
                   @OccurredAt, @ReleaseAt, @CreatedAt)
                ON CONFLICT (merchant_id, reference) DO NOTHING
            """;

        // The insert waited for whoever came first, so its row is visible to this statement.
        public const string Holder = """
            SELECT earning_id
              FROM earnings
             WHERE merchant_id = @MerchantId
               AND reference = @Reference
            """;

        public const string Judge = """
            UPDATE earnings
               SET purchase = @Purchase::jsonb, points = @Points, state = @State
             WHERE earning_id = @EarningId
            """;

        public const string Get = $"{EarningRow.Columns} WHERE e.earning_id = @EarningId";

        public const string Funding = """
            SELECT funding_basis_points
              FROM loyalty_partners
             WHERE program_id = @ProgramId
               AND merchant_id = @MerchantId
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

        public const string Use = """
            INSERT INTO earning_rule_uses AS u (member_id, rule_id, day_number, points)
            SELECT @MemberId, rule_id, @DayNumber, points
              FROM unnest(@RuleIds, @Points) AS g (rule_id, points)
                ON CONFLICT (member_id, rule_id, day_number) DO UPDATE
               SET points = u.points + excluded.points;
            UPDATE earning_rules r
               SET budget_spent = r.budget_spent + g.points
              FROM unnest(@RuleIds, @Points) AS g (rule_id, points)
             WHERE r.rule_id = g.rule_id
               AND r.budget IS NOT NULL
            """;
    }
}
