using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Ledger.Reconciliation;

/// <summary>
/// GET /ops/v1/ledger/findings?open=true|false: what the reconciliation found, newest first; POST
/// /ops/v1/ledger/findings/{id}/acknowledge: an operator says what it was. What still differs at the next run is a new
/// finding.
/// </summary>
internal static class Findings
{
    private const int Listed = 200;

    public static IEndpointRouteBuilder MapFindings(this IEndpointRouteBuilder group)
    {
        group.MapGet("/ledger/findings", ListAsync).WithName("ListFindings").Produces<FindingList>();
        group
            .MapPost("/ledger/findings/{id:long}/acknowledge", AcknowledgeAsync)
            .RequireRole("operator")
            .WithName("AcknowledgeFinding")
            .Produces<Finding>()
            .RequireIdempotencyKey();
        return group;
    }

    private static async Task<IResult> ListAsync(bool? open, long? before, Database database, CancellationToken cancel)
    {
        var args = new
        {
            open,
            Before = before ?? long.MaxValue,
            Limit = Listed,
        };
        return Answer.Ok(new FindingList(await database.QueryAsync<Finding>(Sql.List, args, cancel)));
    }

    private static Task<IResult> AcknowledgeAsync(
        long id,
        Acknowledgement body,
        HttpContext http,
        IdempotentRequests requests,
        TimeProvider time,
        ILogger<LedgerReconciliation> log,
        CancellationToken cancel
    ) =>
        requests.ExecuteAsync(
            http,
            body,
            async db =>
            {
                if (
                    body.Reason is not { Length: > 0 and <= LedgerLimits.MetadataCharacters }
                    || !Books.Text.IsStorable(body.Reason)
                )
                {
                    throw new FaultException(
                        CommonFaults.InvalidRequest,
                        $"reason says what it was, in 1 to {LedgerLimits.MetadataCharacters} characters.",
                        new FieldError("/reason", "invalid")
                    );
                }

                var operatorName = http.GetOperator().Subject;
                var finding =
                    await db.QuerySingleOrDefaultAsync<Finding>(
                        Sql.Acknowledge,
                        new
                        {
                            id,
                            body.Reason,
                            By = operatorName,
                            Now = time.GetUtcNow(),
                        }
                    ) ?? throw new FaultException(CommonFaults.NotFound, $"There is no open finding {id}.");
                log.FindingAcknowledged(id, operatorName);
                return Answer.Ok(finding);
            },
            cancel
        );

    internal sealed record Acknowledgement(string Reason);

    private sealed record FindingList(IReadOnlyList<Finding> Data);

    private sealed record Finding(
        long FindingId,
        string Kind,
        string Subject,
        long Expected,
        long Actual,
        DateTimeOffset FirstSeenAt,
        DateTimeOffset LastSeenAt,
        DateTimeOffset? AcknowledgedAt,
        string? AcknowledgedBy,
        string? Reason
    );

    private static class Sql
    {
        private const string Columns =
            "finding_id, kind, subject, expected, actual, first_seen_at, last_seen_at, acknowledged_at, "
            + "acknowledged_by, reason";

        public const string List = $"""
            SELECT {Columns}
              FROM reconciliation_findings
             WHERE finding_id < @Before
               AND (@Open::boolean IS NULL OR (acknowledged_at IS NULL) = @Open)
             ORDER BY finding_id DESC
             LIMIT @Limit
            """;

        public const string Acknowledge = $"""
            UPDATE reconciliation_findings
               SET acknowledged_at = @Now, acknowledged_by = @By, reason = @Reason
             WHERE finding_id = @Id
               AND acknowledged_at IS NULL
            RETURNING {Columns}
            """;
    }
}
