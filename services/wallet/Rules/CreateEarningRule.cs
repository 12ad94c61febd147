using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Programs;

namespace LocalPlus.Wallet.Rules;

/// <summary>
/// POST /v1/earning_rules: a rule of a programme. One with a budget is a campaign: when its budget is spent it gives no
/// more, however many tills ask at once. Refusals: not_found (the programme), currency_mismatch, limit_exceeded,
/// invalid_request.
/// </summary>
internal static class CreateEarningRule
{
    /// <param name="ValidFrom">Purchases from then on; absent: from now.</param>
    /// <param name="Budget">All the points that the rule may give.</param>
    internal sealed record Request(
        ProgramId ProgramId,
        string Name,
        RuleDefinition Definition,
        DateTimeOffset? ValidFrom = null,
        DateTimeOffset? ValidTo = null,
        long? Budget = null
    );

    public static IEndpointRouteBuilder MapCreateEarningRule(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/earning_rules", HandleAsync)
            .RequireScope("loyalty:write")
            .RequireIdempotencyKey()
            .Refuses(CommonFaults.NotFound, Faults.CurrencyMismatch, Faults.LimitExceeded)
            .WithName(nameof(CreateEarningRule))
            .Produces<EarningRuleView>(StatusCodes.Status201Created);
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        Request request,
        IdempotentRequests requests,
        LocationOwnership locations,
        LoyaltyProgramCopies copies,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        var merchant = http.GetMerchant();
        var now = time.GetUtcNow();
        new FieldChecks()
            .Name(request.Name)
            .Validity(request.ValidFrom ?? now, request.ValidTo)
            .Require(request.Budget is null or (> 0 and < Money.Limit), "/budget")
            .ThrowIfAny();
        await locations.RequireAsync(
            merchant.MerchantId,
            [.. (request.Definition.Locations ?? []).Select(id => new EarningLocation(id))],
            cancel
        );
        return await requests.ExecuteAsync(
            http,
            request,
            async db =>
            {
                var answer = await InsertAsync(db, merchant, request, EarningRuleId.New(time), now);
                await copies.ChangedAsync(db, request.ProgramId);
                return answer;
            },
            cancel
        );
    }

    private static async Task<Answer> InsertAsync(
        DbSession db,
        MerchantIdentity merchant,
        Request request,
        EarningRuleId id,
        DateTimeOffset now
    )
    {
        var program = await LoyaltyPrograms.OwnAsync(db, merchant, request.ProgramId);
        // One change of a programme and its rules at a time.
        await LoyaltyProgramCopies.LockAsync(db, request.ProgramId);
        RuleChecks.Check(request.Definition, Currency.Parse(program.Currency));
        var inserted = await db.ExecuteAsync(
            Sql.Insert,
            new
            {
                RuleId = id,
                request.ProgramId,
                merchant.MerchantId,
                Name = request.Name.Trim(),
                Definition = StoredJson.Write(request.Definition),
                ValidFrom = request.ValidFrom ?? now,
                request.ValidTo,
                request.Budget,
                CreatedAt = now,
                Most = LoyaltyLimits.RulesPerProgram,
            }
        );
        if (inserted == 0)
        {
            throw new FaultException(
                Faults.LimitExceeded,
                $"A programme has {LoyaltyLimits.RulesPerProgram} rules at most; close one first."
            );
        }

        await db.ExecuteAsync(EarningRules.Sql.AddVersion, new { RuleId = id, ChangedAt = now });
        var row = await db.QuerySingleAsync<EarningRuleRow>(EarningRules.Sql.Get, new { RuleId = id });
        return Answer.Created($"/v1/earning_rules/{id}", row.ToView(), row.Version);
    }

    private static class Sql
    {
        public const string Insert = """
            INSERT INTO earning_rules (rule_id, program_id, merchant_id, name, state, definition, valid_from, valid_to,
                   budget, version, created_at)
            SELECT @RuleId, @ProgramId, @MerchantId, @Name, 'active', @Definition::jsonb, @ValidFrom, @ValidTo,
                   @Budget, 1, @CreatedAt
             WHERE (SELECT count(*)
                      FROM earning_rules
                     WHERE program_id = @ProgramId
                       AND state = 'active') < @Most
            """;
    }
}
