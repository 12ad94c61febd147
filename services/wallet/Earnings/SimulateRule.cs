using System.Text.Json;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Wallet.Programs;
using LocalPlus.Wallet.Rules;

namespace LocalPlus.Wallet.Earnings;

/// <summary>
/// POST /v1/earning_rules/simulate: what a rule would have cost, had it been in force in a past period, as a new one or
/// instead of one that was. Every purchase of the period is judged again beside the rules of its time; caps and budgets
/// count from the period's beginning. Streamed as NDJSON, a line of progress a page and the result last; nothing is
/// written. Refusals: not_found, currency_mismatch, invalid_request.
/// </summary>
internal static class SimulateRule
{
    private const int PageSize = 500;

    /// <param name="RuleId">The rule that it takes the place of; absent: none.</param>
    internal sealed record Request(
        ProgramId ProgramId,
        RuleDefinition Definition,
        DateTimeOffset From,
        DateTimeOffset To,
        EarningRuleId? RuleId = null,
        long? Budget = null
    );

    /// <summary>A line: of progress, or the result.</summary>
    /// <param name="Done">Purchases that were judged.</param>
    /// <param name="Before">Points that these have earned.</param>
    /// <param name="After">Points that these would have earned.</param>
    /// <param name="Changed">Purchases that would have earned other points.</param>
    /// <param name="ByRule">Points that the rule itself would have given.</param>
    /// <param name="Cost">What the difference is worth by the programme's rate.</param>
    internal sealed record Line(
        string Object,
        long Done,
        long Total,
        long Before,
        long After,
        long Changed,
        long ByRule,
        Money Cost
    );

    public static IEndpointRouteBuilder MapSimulateRule(this IEndpointRouteBuilder group)
    {
        group
            .MapPost("/earning_rules/simulate", HandleAsync)
            .RequireScope("loyalty:read")
            .Refuses(CommonFaults.NotFound, Faults.CurrencyMismatch)
            .WithName(nameof(SimulateRule))
            .Produces<string>(StatusCodes.Status200OK, "application/x-ndjson");
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        Request request,
        Database database,
        CancellationToken cancel
    )
    {
        new FieldChecks()
            .Require(request.To > request.From, "/to")
            .Require(request.Budget is null or (> 0 and < Money.Limit), "/budget")
            .ThrowIfAny();
        var (program, simulation, total) = await PrepareAsync(http.GetMerchant(), request, database, cancel);
        http.Response.ContentType = "application/x-ndjson";
        await WriteAsync(http, simulation, "progress", total, program.Currency, cancel);
        var (after, last) = (request.From, Guid.Empty);
        while (true)
        {
            var page = await database.QueryAsync<PastRow>(
                Sql.Page,
                new
                {
                    request.ProgramId,
                    After = after,
                    Last = last,
                    request.To,
                    Take = PageSize,
                },
                cancel
            );
            foreach (var row in page)
            {
                simulation.Judge(row);
                (after, last) = (row.OccurredAt, row.EarningId.Value);
            }

            if (page.Count < PageSize)
            {
                break;
            }

            await WriteAsync(http, simulation, "progress", total, program.Currency, cancel);
        }

        await WriteAsync(http, simulation, "simulation", total, program.Currency, cancel);
        return Results.Empty;
    }

    private static async Task<(LoyaltyProgramRow Program, Simulation Simulation, long Total)> PrepareAsync(
        MerchantIdentity merchant,
        Request request,
        Database database,
        CancellationToken cancel
    )
    {
        await using var db = await database.BeginAsync(cancel);
        var program = await LoyaltyPrograms.OwnAsync(db, merchant, request.ProgramId);
        RuleChecks.Check(request.Definition, Currency.Parse(program.Currency));
        var versions = await db.QueryAsync<VersionRow>(Sql.Versions, new { request.ProgramId, request.To });
        if (request.RuleId is { } replaced && versions.All(version => version.RuleId != replaced))
        {
            throw EarningRules.Absent();
        }

        var total = await db.QuerySingleAsync<long>(
            Sql.Total,
            new
            {
                request.ProgramId,
                request.From,
                request.To,
            }
        );
        return (program, new Simulation(program, request, versions), total);
    }

    private static async Task WriteAsync(
        HttpContext http,
        Simulation simulation,
        string kind,
        long total,
        string currency,
        CancellationToken cancel
    )
    {
        var line = simulation.Line(kind, total, Currency.Parse(currency));
        await http.Response.BodyWriter.WriteAsync(
            (byte[])[.. JsonSerializer.SerializeToUtf8Bytes(line, StrictJson.Options), (byte)'\n'],
            cancel
        );
        await http.Response.BodyWriter.FlushAsync(cancel);
    }

    internal sealed record PastRow(
        EarningId EarningId,
        MemberId MemberId,
        string Purchase,
        long Points,
        DateTimeOffset OccurredAt,
        int? BirthMonth
    );

    internal sealed record VersionRow(
        EarningRuleId RuleId,
        long Version,
        string Name,
        string State,
        string Definition,
        long? Budget,
        DateTimeOffset ValidFrom,
        DateTimeOffset? ValidTo,
        DateTimeOffset ChangedAt
    );

    private static class Sql
    {
        public const string Versions = """
            SELECT v.rule_id, v.version, v.name, v.state, v.definition::text AS definition, r.budget, v.valid_from,
                   v.valid_to, v.changed_at
              FROM earning_rules r
              JOIN earning_rule_versions v
                ON v.rule_id = r.rule_id
             WHERE r.program_id = @ProgramId
               AND v.changed_at < @To
             ORDER BY v.rule_id, v.version
            """;

        public const string Total = """
            SELECT count(*)
              FROM earnings
             WHERE program_id = @ProgramId
               AND occurred_at >= @From
               AND occurred_at < @To
            """;

        public const string Page = """
            SELECT e.earning_id, e.member_id, e.purchase::text AS purchase, e.points, e.occurred_at,
                   m.birth_month::int AS birth_month
              FROM earnings e
              JOIN members m
                ON m.member_id = e.member_id
             WHERE e.program_id = @ProgramId
               AND (e.occurred_at, e.earning_id) > (@After, @Last)
               AND e.occurred_at < @To
             ORDER BY e.occurred_at, e.earning_id
             LIMIT @Take
            """;
    }
}
