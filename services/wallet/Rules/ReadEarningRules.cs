using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Rules;

/// <summary>GET /v1/earning_rules/{id}, for its programme's merchant. Refusals: not_found.</summary>
internal static class GetEarningRule
{
    public static IEndpointRouteBuilder MapGetEarningRule(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/earning_rules/{id}", HandleAsync)
            .RequireScope("loyalty:read")
            .WithName(nameof(GetEarningRule))
            .Produces<EarningRuleView>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        EarningRuleId id,
        Database database,
        CancellationToken cancel
    )
    {
        var merchant = http.GetMerchant();
        var row = await database.QuerySingleOrDefaultAsync<EarningRuleRow>(
            EarningRules.Sql.Own,
            new
            {
                RuleId = id,
                merchant.MerchantId,
                merchant.Live,
            },
            cancel
        );
        return row is null ? throw EarningRules.Absent() : Answer.Ok(row.ToView(), row.Version);
    }
}

/// <summary>
/// GET /v1/earning_rules?program_id=: the rules of the merchant's programmes, newest first. Refusals: invalid_request
/// (limit, cursor).
/// </summary>
internal static class ListEarningRules
{
    public static IEndpointRouteBuilder MapListEarningRules(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/earning_rules", HandleAsync)
            .RequireScope("loyalty:read")
            .WithName(nameof(ListEarningRules))
            .Produces<Page<EarningRuleView>>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        Database database,
        CursorCodec cursors,
        CancellationToken cancel,
        ProgramId? program_id = null,
        int? limit = null,
        string? cursor = null
    )
    {
        var merchant = http.GetMerchant();
        var filters = $"earning_rules|{program_id}";
        var take = CursorCodec.Limit(limit);
        var after = cursors.Read(cursor, merchant.MerchantId, filters);
        var rows = await database.SearchAsync<EarningRuleRow>(
            Sql.List,
            new
            {
                merchant.MerchantId,
                merchant.Live,
                ProgramId = program_id,
                after.CreatedAt,
                after.Id,
                Take = take + 1,
            },
            cancel
        );
        return Answer.Ok(
            Page<EarningRuleView>.Of(
                [.. rows.Select(row => row.ToView())],
                take,
                last => cursors.Write(new(last.CreatedAt, last.Id.Value), merchant.MerchantId, filters)
            )
        );
    }

    private static class Sql
    {
        public const string List = $"""
            {EarningRuleRow.Own}
              AND (@ProgramId::uuid IS NULL OR r.program_id = @ProgramId)
              AND (r.created_at, r.rule_id) < (@CreatedAt, @Id)
            ORDER BY r.created_at DESC, r.rule_id DESC
            LIMIT @Take
            """;
    }
}
