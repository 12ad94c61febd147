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
        EarningRuleCopies rules,
        CancellationToken cancel
    )
    {
        var rule = await rules.GetAsync(http.GetMerchant(), id, cancel);
        return Answer.Ok(rule, rule.Version);
    }
}

/// <summary>
/// GET /v1/earning_rules?program_id=: the rules of the merchant's programmes, newest first; the beginning of one
/// programme's out of a cache. Refusals: invalid_request (limit, cursor).
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
        EarningRuleCopies rules,
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
        var views =
            program_id is { } program && FirstRows<EarningRuleView>.Have(take, cursor)
                ? (await rules.FirstAsync(merchant, program, cancel)).For(take)
                : await ReadAsync(database, merchant, program_id, after, take + 1, cancel);
        return Answer.Ok(
            Page<EarningRuleView>.Of(
                views,
                take,
                last => cursors.Write(new(last.CreatedAt, last.Id.Value), merchant.MerchantId, filters)
            )
        );
    }

    private static async Task<IReadOnlyList<EarningRuleView>> ReadAsync(
        Database database,
        MerchantIdentity merchant,
        ProgramId? program,
        Keyset after,
        int take,
        CancellationToken cancel
    )
    {
        var rows = await database.SearchAsync<EarningRuleRow>(
            Sql.List,
            new
            {
                merchant.MerchantId,
                merchant.Live,
                ProgramId = program,
                after.CreatedAt,
                after.Id,
                Take = take,
            },
            cancel
        );
        return [.. rows.Select(row => row.ToView())];
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
