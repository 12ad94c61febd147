using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Programs;

/// <summary>
/// An offer as the merchant sees it at which the points are to be earned: whose, at what rate, and what a point is
/// worth.
/// </summary>
internal sealed record PartnershipView(
    ProgramId ProgramId,
    string ProgramName,
    MerchantId IssuerId,
    EarnRate Earn,
    PointValue PointValue,
    int FundingBasisPoints,
    string State,
    DateTimeOffset? EndsAt,
    DateTimeOffset? DecidedAt,
    DateTimeOffset ProgramCreatedAt
)
{
    public string Object { get; } = "loyalty_partnership";
}

/// <summary>An offer's row with what it says of its programme.</summary>
internal sealed record PartnershipRow(
    ProgramId ProgramId,
    string ProgramName,
    MerchantId IssuerId,
    string Terms,
    int FundingBasisPoints,
    string State,
    DateTimeOffset? EndsAt,
    DateTimeOffset? DecidedAt,
    DateTimeOffset ProgramCreatedAt
)
{
    public const string Offered = "offered";
    public const string Accepted = "accepted";
    public const string Declined = "declined";
    public const string Ended = "ended";

    public static readonly string[] States = [Offered, Accepted, Declined, Ended];

    /// <summary>Only offers of the caller's own mode: test and live never meet.</summary>
    public const string OfMerchant = """
        SELECT a.program_id, p.name AS program_name, p.merchant_id AS issuer_id, p.terms::text AS terms,
               a.funding_basis_points, a.state, a.ends_at, a.decided_at, p.created_at AS program_created_at
          FROM loyalty_partners a
          JOIN loyalty_programs p
            ON p.program_id = a.program_id
         WHERE a.merchant_id = @MerchantId
           AND a.live = @Live
        """;

    public PartnershipView ToView()
    {
        var terms = StoredJson.Read<LoyaltyTerms>(Terms);
        return new(
            ProgramId,
            ProgramName,
            IssuerId,
            terms.Earn,
            terms.PointValue,
            FundingBasisPoints,
            State,
            EndsAt,
            DecidedAt,
            ProgramCreatedAt
        );
    }
}

/// <summary>
/// GET /v1/loyalty_partnerships: whose points the calling merchant is offered to give, the newest programmes first, by
/// state. Refusals: invalid_request (limit, cursor, state).
/// </summary>
internal static class ListPartnerships
{
    public static IEndpointRouteBuilder MapListPartnerships(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/loyalty_partnerships", HandleAsync)
            .RequireScope("loyalty:read")
            .WorksAcrossMerchants()
            .WithName(nameof(ListPartnerships))
            .Produces<Page<PartnershipView>>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        Database database,
        CursorCodec cursors,
        CancellationToken cancel,
        string? state = null,
        int? limit = null,
        string? cursor = null
    )
    {
        new FieldChecks()
            .Require(state is null || PartnershipRow.States.Contains(state), "state", "invalid")
            .ThrowIfAny();
        var filters = $"loyalty_partnerships|{state}";
        var merchant = http.GetMerchant();
        var take = CursorCodec.Limit(limit);
        var after = cursors.Read(cursor, merchant.MerchantId, filters);
        var rows = await database.SearchAsync<PartnershipRow>(
            Sql.List,
            new
            {
                merchant.MerchantId,
                merchant.Live,
                State = state,
                after.CreatedAt,
                after.Id,
                Take = take + 1,
            },
            cancel
        );
        return Answer.Ok(
            Page<PartnershipView>.Of(
                [.. rows.Select(row => row.ToView())],
                take,
                last => cursors.Write(new(last.ProgramCreatedAt, last.ProgramId.Value), merchant.MerchantId, filters)
            )
        );
    }

    private static class Sql
    {
        public const string List = $"""
            {PartnershipRow.OfMerchant}
              AND (@State::text IS NULL OR a.state = @State)
              AND (p.created_at, p.program_id) < (@CreatedAt, @Id)
            ORDER BY p.created_at DESC, p.program_id DESC
            LIMIT @Take
            """;
    }
}
