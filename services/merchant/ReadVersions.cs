using System.Text.Json;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Merchant;

/// <summary>
/// GET /v1/merchants/{id}/versions, and the same for operators: every version of the merchant, newest first, with what
/// was done, by whom and why, and the merchant after it. Another merchant's id is not found. Refusals: invalid_request,
/// not_found.
/// </summary>
internal static class ReadVersions
{
    private const string Filters = "merchant_versions";

    /// <param name="Actor">Without its id when it is an operator and the merchant asks.</param>
    /// <param name="Merchant">As it was after the step.</param>
    internal sealed record VersionView(
        string Object,
        long Version,
        string Action,
        Actor Actor,
        string? Reason,
        JsonElement Merchant,
        DateTimeOffset CreatedAt
    );

    public static IEndpointRouteBuilder MapReadVersions(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/merchants/{id}/versions", HandleAsync)
            .RequireScope("merchants:read")
            .WithName("ListMerchantVersions")
            .Produces<Page<VersionView>>();
        return group;
    }

    public static IEndpointRouteBuilder MapReadVersionsForOperators(this IEndpointRouteBuilder ops)
    {
        ops.MapGet("/merchants/{id}/versions", HandleForOperatorsAsync)
            .RequireRole("viewer")
            .WithName("ListMerchantVersionsForOperators")
            .Produces<Page<VersionView>>();
        return ops;
    }

    private static Task<IResult> HandleAsync(
        HttpContext http,
        MerchantId id,
        Database database,
        CursorCodec cursors,
        CancellationToken cancel,
        int? limit = null,
        string? cursor = null
    ) =>
        id == http.GetMerchant().MerchantId
            ? PageAsync(
                id,
                new(database, cursors),
                limit,
                cursor,
                view => view with { Actor = view.Actor.ForMerchant() },
                cancel
            )
            : throw new FaultException(CommonFaults.NotFound, "There is no such merchant.");

    private static Task<IResult> HandleForOperatorsAsync(
        MerchantId id,
        Database database,
        CursorCodec cursors,
        CancellationToken cancel,
        int? limit = null,
        string? cursor = null
    ) => PageAsync(id, new(database, cursors), limit, cursor, view => view, cancel);

    private static async Task<IResult> PageAsync(
        MerchantId id,
        Source source,
        int? limit,
        string? cursor,
        Func<VersionView, VersionView> shown,
        CancellationToken cancel
    )
    {
        var size = CursorCodec.Limit(limit);
        // Versions are counted, so the count is what the cursor carries in an instant's place.
        var before = source.Cursors.Read(cursor, id, Filters).CreatedAt.UtcTicks;
        var rows = await source.Database.QueryAsync<Row>(
            Sql.List,
            new
            {
                MerchantId = id,
                Before = before,
                Limit = size + 1,
            },
            cancel
        );
        return Answer.Ok(
            Page<VersionView>.Of(
                [.. rows.Select(row => shown(row.ToView()))],
                size,
                last =>
                    source.Cursors.Write(new(new DateTimeOffset(last.Version, TimeSpan.Zero), Guid.Empty), id, Filters)
            )
        );
    }

    private sealed record Source(Database Database, CursorCodec Cursors);

    private sealed record Row(
        long Version,
        string Action,
        string ActorKind,
        string Actor,
        string? Reason,
        string Merchant,
        DateTimeOffset CreatedAt
    )
    {
        public VersionView ToView() =>
            new(
                "merchant_version",
                Version,
                Action,
                new(ActorKind, Actor),
                Reason,
                JsonElement.Parse(Merchant),
                CreatedAt
            );
    }

    private static class Sql
    {
        public const string List = """
            SELECT version, action, actor_kind, actor, reason, merchant::text AS merchant, created_at
              FROM merchant_versions
             WHERE merchant_id = @MerchantId
               AND version < @Before
             ORDER BY version DESC
             LIMIT @Limit
            """;
    }
}
