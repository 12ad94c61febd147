using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Programs;

namespace LocalPlus.Wallet.Rules;

/// <summary>
/// PATCH /v1/earning_rules/{id}: a new version for purchases from now on; those before are judged by the old one, also
/// when they are told later. A budget may grow, or shrink to what is spent. Refusals: not_found, if_match_required,
/// version_conflict, currency_mismatch, invalid_request.
/// </summary>
internal static class ChangeEarningRule
{
    internal enum Status
    {
        Active,
        Closed,
    }

    internal sealed record Request(
        string? Name = null,
        Status? State = null,
        RuleDefinition? Definition = null,
        DateTimeOffset? ValidFrom = null,
        DateTimeOffset? ValidTo = null,
        long? Budget = null
    );

    public static IEndpointRouteBuilder MapChangeEarningRule(this IEndpointRouteBuilder group)
    {
        group
            .MapPatch("/earning_rules/{id}", HandleAsync)
            .RequireScope("loyalty:write")
            .RequireIfMatch()
            .Refuses(Faults.CurrencyMismatch)
            .WithName(nameof(ChangeEarningRule))
            .Produces<EarningRuleView>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        EarningRuleId id,
        Request request,
        Database database,
        LocationOwnership locations,
        LoyaltyProgramCopies copies,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        var merchant = http.GetMerchant();
        var version = http.RequireIfMatch();
        new FieldChecks().Name(request.Name).ThrowIfAny();
        await locations.RequireAsync(
            merchant.MerchantId,
            [.. (request.Definition?.Locations ?? []).Select(place => new EarningLocation(place))],
            cancel
        );
        await using var db = await database.BeginAsync(cancel);
        await db.ExecuteAsync(Sql.LockProgram, new { RuleId = id, merchant.MerchantId });
        var row =
            await db.QuerySingleOrDefaultAsync<EarningRuleRow>(
                Sql.Lock,
                new
                {
                    RuleId = id,
                    merchant.MerchantId,
                    merchant.Live,
                }
            ) ?? throw EarningRules.Absent();
        if (row.Version != version)
        {
            throw new FaultException(CommonFaults.VersionConflict, $"The rule's version is {row.Version}.");
        }

        await CheckAsync(db, row, request);
        await db.ExecuteAsync(
            Sql.Change,
            new
            {
                RuleId = id,
                Name = request.Name?.Trim() ?? row.Name,
                State = request.State switch
                {
                    Status.Active => EarningRuleRow.Active,
                    Status.Closed => "closed",
                    _ => row.State,
                },
                Definition = request.Definition is { } changed ? StoredJson.Write(changed) : row.Definition,
                ValidFrom = request.ValidFrom ?? row.ValidFrom,
                ValidTo = request.ValidTo ?? row.ValidTo,
                Budget = request.Budget ?? row.Budget,
            }
        );
        await db.ExecuteAsync(EarningRules.Sql.AddVersion, new { RuleId = id, ChangedAt = time.GetUtcNow() });
        var now = await db.QuerySingleAsync<EarningRuleRow>(EarningRules.Sql.Get, new { RuleId = id });
        await copies.ChangedAsync(db, now.ProgramId);
        await db.CommitAsync();
        return Answer.Ok(now.ToView(), now.Version);
    }

    private static async Task CheckAsync(DbSession db, EarningRuleRow row, Request request)
    {
        new FieldChecks()
            .Validity(request.ValidFrom ?? row.ValidFrom, request.ValidTo ?? row.ValidTo)
            .Require(
                request.Budget is not { } budget || (budget > 0 && budget >= row.BudgetSpent && budget < Money.Limit),
                "/budget"
            )
            .ThrowIfAny();
        if (request.Definition is { } definition)
        {
            var program = await LoyaltyPrograms.GetAsync(db, row.ProgramId);
            RuleChecks.Check(definition, Currency.Parse(program.Currency));
        }
    }

    private static class Sql
    {
        // One change of a programme and its rules at a time.
        public const string LockProgram = """
            SELECT 1
              FROM loyalty_programs p
             WHERE p.program_id = (SELECT program_id FROM earning_rules WHERE rule_id = @RuleId)
               AND p.merchant_id = @MerchantId
               FOR NO KEY UPDATE
            """;

        // Against tills that spend of the budget, and against another change.
        public const string Lock = $"""
            {EarningRules.Sql.Own}
               FOR NO KEY UPDATE OF r
            """;

        public const string Change = """
            UPDATE earning_rules
               SET name = @Name,
                   state = @State,
                   definition = @Definition::jsonb,
                   valid_from = @ValidFrom,
                   valid_to = @ValidTo,
                   budget = @Budget,
                   version = version + 1
             WHERE rule_id = @RuleId
            """;
    }
}
