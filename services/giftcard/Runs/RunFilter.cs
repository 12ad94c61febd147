using LocalPlus.Giftcard.Redemptions;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Mvc;

namespace LocalPlus.Giftcard.Runs;

/// <summary>
/// Which runs are meant: by health (ok, waiting, retrying, stuck, parked, suspended), redemption state, run state,
/// step, merchant, age or error text. The list, its page's address and bulks say it alike.
/// </summary>
internal sealed record RunFilter
{
    // What a health is made of is said once more beside it: in that form the partial indices of the rare ones are
    // found.
    public const string Conditions = """
        (@Health::text IS NULL OR v.health = @Health)
               AND (@Health IS DISTINCT FROM 'parked' OR v.needs_attention)
               AND (@Health IS DISTINCT FROM 'stuck' OR v.run_state IN ('failed', 'lost'))
               AND (@Health IS DISTINCT FROM 'suspended' OR v.run_state = 'suspended')
               AND (@State::text IS NULL OR v.redemption_state = @State)
               AND (@RunState::text IS NULL OR v.run_state = @RunState)
               AND (@Step::text IS NULL OR v.step = @Step)
               AND (@MerchantId::uuid IS NULL OR v.merchant_id = @MerchantId)
               AND (@Before::timestamptz IS NULL OR v.updated_at < @Before)
               AND (@Error::text IS NULL OR strpos(coalesce(v.run_error, v.drive_error), @Error) > 0)
        """;

    private static readonly string[] RunStates = [.. Enum.GetValues<RunState>().Select(Wire.Name)];
    private static readonly string[] Healths = ["ok", "waiting", "retrying", "stuck", "parked", "suspended"];

    public string? Health { get; init; }

    public string? State { get; init; }

    [FromQuery(Name = "run_state")]
    public string? RunState { get; init; }

    public string? Step { get; init; }

    [FromQuery(Name = "merchant_id")]
    public MerchantId? MerchantId { get; init; }

    [FromQuery(Name = "older_than_seconds")]
    public int? OlderThanSeconds { get; init; }

    public string? Error { get; init; }

    /// <summary>Refuses with invalid_request what there can not be.</summary>
    public static void Check(RunFilter filter) =>
        new FieldChecks()
            .Require(filter.Health is null || Healths.Contains(filter.Health), "health", "invalid")
            .Require(filter.State is null || RedemptionStates.Seen.Contains(filter.State), "state", "invalid")
            .Require(filter.RunState is null || RunStates.Contains(filter.RunState), "run_state", "invalid")
            .Require(filter.OlderThanSeconds is null or >= 0, "older_than_seconds")
            .Text(filter.Step, "step", GiftcardLimits.NameLength)
            .Text(filter.Error, "error", GiftcardLimits.NameLength)
            .ThrowIfAny();

    /// <summary>Before when a run must have moved last, seen from now; null: it may have moved at any time.</summary>
    public static DateTimeOffset? Before(RunFilter filter, DateTimeOffset now) =>
        filter.OlderThanSeconds is { } age ? now.AddSeconds(-age) : null;

    /// <summary>As the address of the runs' page has it, without the question mark.</summary>
    public static string Query(RunFilter filter) =>
        string.Join(
            '&',
            new (string Name, string? Value)[]
            {
                ("health", filter.Health),
                ("state", filter.State),
                ("run_state", filter.RunState),
                ("step", filter.Step),
                ("merchant_id", filter.MerchantId?.ToString()),
                ("older_than_seconds", filter.OlderThanSeconds is { } age ? $"{age}" : null),
                ("error", filter.Error),
            }
                .Where(part => part.Value is not null)
                .Select(part => $"{part.Name}={Uri.EscapeDataString(part.Value!)}")
        );
}
