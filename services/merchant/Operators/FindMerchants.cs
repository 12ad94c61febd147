using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Merchant.Operators;

/// <summary>
/// GET /ops/v1/merchants: all merchants, newest first, by status, mode, country or a piece of the name; and
/// GET /ops/v1/merchants/{id}. Refusals: invalid_request, not_found.
/// </summary>
internal static class FindMerchants
{
    public static IEndpointRouteBuilder MapFindMerchants(this IEndpointRouteBuilder ops)
    {
        ops.MapGet("/merchants", ListAsync)
            .RequireRole("viewer")
            .WithName("FindMerchants")
            .Produces<Page<MerchantView>>();
        ops.MapGet("/merchants/{id}", GetAsync)
            .RequireRole("viewer")
            .WithName("GetMerchantForOperators")
            .Produces<MerchantView>();
        return ops;
    }

    internal sealed record Query
    {
        public string? Status { get; init; }

        public string? Mode { get; init; }

        public string? Country { get; init; }

        /// <summary>A piece of the name, in any case.</summary>
        public string? Name { get; init; }

        public int? Limit { get; init; }

        public string? Cursor { get; init; }

        private static readonly string[] States = [.. Enum.GetValues<MerchantStatus>().Select(Statuses.Text)];

        public void Check() =>
            new FieldChecks()
                .Require(Status is null || States.Contains(Status), "status", "invalid")
                .Require(Mode is null or Modes.Test or Modes.Live, "mode", "invalid")
                .Text(Country, "country", 2)
                .Name(Name, "name")
                .ThrowIfAny();
    }

    private static async Task<IResult> ListAsync(
        [AsParameters] Query query,
        Database database,
        CursorCodec cursors,
        CancellationToken cancel
    )
    {
        query.Check();
        var filters = $"merchants|{query.Status}|{query.Mode}|{query.Country}|{query.Name}";
        var size = CursorCodec.Limit(query.Limit);
        var after = cursors.Read(query.Cursor, default, filters);
        var rows = await database.SearchAsync<MerchantRow>(
            Sql.Find,
            new
            {
                query.Status,
                query.Mode,
                query.Country,
                query.Name,
                after.CreatedAt,
                after.Id,
                Limit = size + 1,
            },
            cancel
        );
        return Answer.Ok(
            Page<MerchantView>.Of(
                [.. rows.Select(row => row.ToView())],
                size,
                last => cursors.Write(new Keyset(last.CreatedAt, last.Id.Value), default, filters)
            )
        );
    }

    private static async Task<IResult> GetAsync(MerchantId id, Database database, CancellationToken cancel) =>
        await database.QuerySingleOrDefaultAsync<MerchantRow>(Sql.Get, new { MerchantId = id }, cancel) is { } row
            ? Answer.Ok(row.ToView(), row.Version)
            : throw new FaultException(CommonFaults.NotFound, "There is no such merchant.");

    private static class Sql
    {
        public const string Get = $"{MerchantRow.Columns} WHERE m.merchant_id = @MerchantId";

        public const string Find = $"""
            {MerchantRow.Columns}
             WHERE (@Status::text IS NULL OR m.status = @Status)
               AND (@Mode::text IS NULL OR m.mode = @Mode)
               AND (@Country::text IS NULL OR m.country = @Country)
               AND (@Name::text IS NULL OR strpos(lower(m.name), lower(@Name)) > 0)
               AND (m.created_at, m.merchant_id) < (@CreatedAt, @Id)
             ORDER BY m.created_at DESC, m.merchant_id DESC
             LIMIT @Limit
            """;
    }
}
