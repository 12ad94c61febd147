using System.Text.Json;
using LocalPlus.Giftcard.Runs;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.RunBulks;

/// <summary>How far a bulk is, as it stands in SQL.</summary>
[StoredAsText]
internal enum RunBulkState
{
    /// <summary>Its runs are chosen; nobody has said yet that it shall be done.</summary>
    Previewed,
    Running,
    Paused,
    Done,
    Cancelled,
}

/// <summary>A bulk's row.</summary>
internal sealed record RunBulkRow(
    RunBulkId BulkId,
    string Verb,
    string Filter,
    EnumText<RunBulkState> State,
    int Runs,
    int Done,
    int Refused,
    int Failed,
    string CreatedBy,
    string? StartedBy,
    string? Reason,
    long Version,
    DateTimeOffset CreatedAt,
    DateTimeOffset? StartedAt,
    DateTimeOffset? FinishedAt
)
{
    public const string Columns = """
        SELECT b.bulk_id, b.verb, b.filter::text AS filter, b.state, b.runs, b.done, b.refused, b.failed, b.created_by,
               b.started_by, b.reason, b.version, b.created_at, b.started_at, b.finished_at
          FROM run_bulks b
        """;

    public RunBulkView ToView() =>
        new(
            BulkId,
            Verb,
            RunFilter.Query(JsonSerializer.Deserialize<RunFilter>(Filter, StrictJson.Lenient)!),
            State.ToString(),
            Runs,
            Done,
            Refused,
            Failed,
            CreatedBy,
            StartedBy,
            Reason,
            CreatedAt,
            CreatedAt + GiftcardLimits.RunBulkPreviewLife,
            StartedAt,
            FinishedAt
        );
}

/// <summary>What operators do to many runs at once.</summary>
/// <param name="Filter">As the address of the runs' page has it: health=stuck&amp;step=capture.</param>
/// <param name="State">previewed, running, paused, done or cancelled.</param>
/// <param name="Runs">How many there are in it; of these it is through with done, refused and failed.</param>
/// <param name="StartBefore">Until when a preview can be started.</param>
internal sealed record RunBulkView(
    RunBulkId Id,
    string Verb,
    string Filter,
    string State,
    int Runs,
    int Done,
    int Refused,
    int Failed,
    string CreatedBy,
    string? StartedBy,
    string? Reason,
    DateTimeOffset CreatedAt,
    DateTimeOffset StartBefore,
    DateTimeOffset? StartedAt,
    DateTimeOffset? FinishedAt
)
{
    public string Object { get; } = "run_bulk";
}

/// <summary>A run of a bulk, and what became of it.</summary>
/// <param name="Amount">What its redemption was asked for.</param>
/// <param name="Foreseen">With what it would have been refused when it was chosen; absent: it would not.</param>
/// <param name="State">waiting, done, refused or failed.</param>
/// <param name="Code">With what it was refused, or failed.</param>
internal sealed record RunBulkItemView(
    int Position,
    RedemptionId RedemptionId,
    MerchantId MerchantId,
    Money Amount,
    string? Foreseen,
    string State,
    string? Code,
    int Attempts,
    DateTimeOffset? SettledAt
);

/// <summary>An item's row.</summary>
internal sealed record RunBulkItemRow(
    int Position,
    RedemptionId RedemptionId,
    MerchantId MerchantId,
    long Amount,
    string Currency,
    string? Foreseen,
    string State,
    string? Code,
    int Attempts,
    DateTimeOffset? SettledAt
)
{
    public const string Columns = """
        SELECT i.position, i.redemption_id, i.merchant_id, i.amount, i.currency, i.foreseen, i.state, i.code,
               i.attempts, i.settled_at
          FROM run_bulk_items i
        """;

    public RunBulkItemView ToView() =>
        new(
            Position,
            RedemptionId,
            MerchantId,
            new(Amount, LocalPlus.Kernel.Currency.Parse(Currency)),
            Foreseen,
            State,
            Code,
            Attempts,
            SettledAt
        );
}

/// <summary>Runs that would be refused alike, as things stood when they were chosen.</summary>
internal sealed record ForeseenRefusal(string Code, long Runs);

/// <summary>A bulk and what it is about.</summary>
/// <param name="Amounts">The sum of what the redemptions were asked for, by currency.</param>
/// <param name="Foreseen">What would be refused, and why.</param>
/// <param name="Samples">The first of its runs.</param>
internal sealed record RunBulkDetail(
    RunBulkView Bulk,
    IReadOnlyList<Money> Amounts,
    IReadOnlyList<ForeseenRefusal> Foreseen,
    IReadOnlyList<RunBulkItemView> Samples
)
{
    private const int SampleRows = 10;

    public static async Task<RunBulkDetail> ReadAsync(DbSession db, RunBulkRow bulk)
    {
        var args = new { bulk.BulkId, Most = SampleRows };
        var sums = await db.QueryAsync<SumRow>(Sql.Sums, args);
        return new(
            bulk.ToView(),
            [.. sums.Select(sum => new Money(sum.Amount, Currency.Parse(sum.Currency)))],
            await db.QueryAsync<ForeseenRefusal>(Sql.Foreseen, args),
            [.. (await db.QueryAsync<RunBulkItemRow>(Sql.Samples, args)).Select(row => row.ToView())]
        );
    }

    private sealed record SumRow(string Currency, long Amount);

    private static class Sql
    {
        public const string Sums = """
            SELECT currency, sum(amount)::bigint AS amount
              FROM run_bulk_items
             WHERE bulk_id = @BulkId
             GROUP BY currency
             ORDER BY currency
            """;

        public const string Foreseen = """
            SELECT foreseen AS code, count(*) AS runs
              FROM run_bulk_items
             WHERE bulk_id = @BulkId
               AND foreseen IS NOT NULL
             GROUP BY foreseen
             ORDER BY foreseen
            """;

        public const string Samples = $"""
            {RunBulkItemRow.Columns}
             WHERE i.bulk_id = @BulkId
             ORDER BY i.position
             LIMIT @Most
            """;
    }
}
