using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Microsoft.AspNetCore.Mvc;
using EventId = LocalPlus.Kernel.EventId;

namespace LocalPlus.Merchant.Audit;

/// <summary>
/// GET /v1/audit: what people and keys did of which the merchant may know, newest first, of all services; by action,
/// target, actor and time. GET /ops/v1/audit?merchant_id= is the same for operators; without a merchant, what concerns
/// none. Refusals: invalid_request.
/// </summary>
internal static class ReadAudit
{
    /// <param name="Position">Where it stands in the chain.</param>
    /// <param name="Service">The one that did it.</param>
    /// <param name="Action">Kind of object and verb, e.g. customer.erase.</param>
    /// <param name="Target">The id of what it was done to.</param>
    /// <param name="ActorKind">key, person or operator.</param>
    /// <param name="Address">The network that the request came from.</param>
    internal sealed record View(
        EventId Id,
        string Object,
        long Position,
        string Service,
        string Action,
        string? Target,
        string ActorKind,
        string Actor,
        string? Role,
        string? Address,
        string? Reason,
        string RequestId,
        IReadOnlyList<AuditChange>? Changes,
        DateTimeOffset OccurredAt
    );

    /// <summary>What is asked for; each may be absent.</summary>
    internal sealed record Filter
    {
        public string? Action { get; init; }

        public string? Target { get; init; }

        public string? Actor { get; init; }

        public DateTimeOffset? From { get; init; }

        public DateTimeOffset? Until { get; init; }

        public int? Limit { get; init; }

        public string? Cursor { get; init; }
    }

    public static IEndpointRouteBuilder MapReadAudit(this IEndpointRouteBuilder merchants)
    {
        merchants
            .MapGet(
                "/audit",
                (
                    HttpContext http,
                    [AsParameters] Filter filter,
                    Database database,
                    CursorCodec cursors,
                    CancellationToken cancel
                ) => ReadAsync(http.GetMerchant().MerchantId, filter, database, cursors, cancel)
            )
            .RequireScope("audit:read")
            .WithName("ListAudit")
            .Produces<Page<View>>();
        return merchants;
    }

    public static IEndpointRouteBuilder MapReadAuditForOperators(this IEndpointRouteBuilder operators)
    {
        operators
            .MapGet(
                "/audit",
                (
                    [FromQuery(Name = "merchant_id")] MerchantId? merchantId,
                    [AsParameters] Filter filter,
                    Database database,
                    CursorCodec cursors,
                    CancellationToken cancel
                ) => ReadAsync(merchantId, filter, database, cursors, cancel)
            )
            .WithName("ListAuditForOperators")
            .Produces<Page<View>>();
        return operators;
    }

    private static async Task<IResult> ReadAsync(
        MerchantId? merchant,
        Filter filter,
        Database database,
        CursorCodec cursors,
        CancellationToken cancel
    )
    {
        var take = CursorCodec.Limit(filter.Limit);
        var filters = $"audit|{filter.Action}|{filter.Target}|{filter.Actor}|{filter.From:O}|{filter.Until:O}";
        var after = cursors.Read(filter.Cursor, merchant ?? default, filters);
        var rows = await database.SearchAsync<AuditRow>(
            Sql.List,
            new
            {
                Chain = AuditLog.ChainOf(merchant),
                filter.Action,
                filter.Target,
                filter.Actor,
                filter.From,
                filter.Until,
                after.CreatedAt,
                after.Id,
                Take = take + 1,
            },
            cancel
        );
        return Answer.Ok(
            Page<View>.Of(
                [.. rows.Select(row => ToView(KeptEntry.Read(row.Entry)))],
                take,
                last => cursors.Write(new(last.OccurredAt, last.Id.Value), merchant ?? default, filters)
            )
        );
    }

    private static View ToView(KeptEntry entry) =>
        new(
            entry.EventId,
            "audit_entry",
            entry.Position,
            entry.Service,
            entry.Action,
            entry.Target,
            entry.ActorKind,
            entry.Actor,
            entry.Role,
            entry.Address,
            entry.Reason,
            entry.RequestId,
            entry.Changes,
            entry.OccurredAt
        );

    private static class Sql
    {
        public const string List = """
            SELECT position, event_id, entry, hash, action, target, actor, occurred_at
              FROM audit_entries
             WHERE chain = @Chain
               AND (@Action::text IS NULL OR action = @Action)
               AND (@Target::text IS NULL OR target = @Target)
               AND (@Actor::text IS NULL OR actor = @Actor)
               AND (@From::timestamptz IS NULL OR occurred_at >= @From)
               AND (@Until::timestamptz IS NULL OR occurred_at < @Until)
               AND (occurred_at, event_id) < (@CreatedAt, @Id)
             ORDER BY occurred_at DESC, event_id DESC
             LIMIT @Take
            """;
    }
}
