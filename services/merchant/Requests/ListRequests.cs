using LocalPlus.Hosting;
using Microsoft.AspNetCore.Mvc;

namespace LocalPlus.Merchant.Requests;

/// <summary>
/// GET /v1/requests: what the merchant asked of all services in the last 30 days and was answered, newest first; by
/// time, service, method, route, path, status, credential and request id. Refusals: invalid_request.
/// </summary>
internal static class ListRequests
{
    private const int MaxTextLength = 200;
    private const int LeastStatus = 100;
    private const int MostStatus = 599;

    /// <summary>What is asked for; each may be absent.</summary>
    internal sealed record Filter
    {
        public DateTimeOffset? From { get; init; }

        public DateTimeOffset? Until { get; init; }

        public string? Service { get; init; }

        /// <summary>In capitals.</summary>
        public string? Method { get; init; }

        /// <summary>The whole route, as this description has it.</summary>
        public string? Route { get; init; }

        /// <summary>What the masked path begins with.</summary>
        public string? Path { get; init; }

        /// <summary>One status.</summary>
        public int? Status { get; init; }

        /// <summary>That status or a higher one, e.g. 400 for all refusals.</summary>
        [FromQuery(Name = "min_status")]
        public int? MinStatus { get; init; }

        public string? Credential { get; init; }

        [FromQuery(Name = "request_id")]
        public string? RequestId { get; init; }

        public int? Limit { get; init; }

        public string? Cursor { get; init; }
    }

    public static IEndpointRouteBuilder MapListRequests(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/requests", HandleAsync)
            .RequireScope("requests:read")
            .WithName(nameof(ListRequests))
            .Produces<Page<RequestView>>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        [AsParameters] Filter filter,
        Database database,
        CursorCodec cursors,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        var merchant = http.GetMerchant().MerchantId;
        var take = CursorCodec.Limit(filter.Limit);
        Check(filter);
        var filters = $"requests|{filter with { Limit = null, Cursor = null }}";
        var before = cursors.Read(filter.Cursor, merchant, filters);
        var oldest = time.GetUtcNow() - LoggedTime.Life;
        var rows = await database.SearchAsync<RequestRow>(
            Sql.List,
            new
            {
                MerchantId = merchant,
                FirstId = LoggedTime.FirstId(filter.From > oldest ? filter.From.Value : oldest),
                Until = filter.Until is { } end ? LoggedTime.FirstId(end) : Guid.AllBitsSet,
                Before = before.Id,
                filter.Service,
                filter.Method,
                filter.Route,
                filter.Path,
                filter.Status,
                filter.MinStatus,
                filter.Credential,
                filter.RequestId,
                Take = take + 1,
            },
            cancel
        );
        var page = Page<RequestRow>.Of(
            rows,
            take,
            last => cursors.Write(new(last.OccurredAt, last.EntryId.Value), merchant, filters)
        );
        return Answer.Ok(
            new Page<RequestView>([.. page.Data.Select(row => row.ToView())], page.NextCursor, page.HasMore)
        );
    }

    private static void Check(Filter filter) =>
        new FieldChecks()
            .Text(filter.Service, "service", MaxTextLength)
            .Text(filter.Method, "method", MaxTextLength)
            .Text(filter.Route, "route", MaxTextLength)
            .Text(filter.Path, "path", MaxTextLength)
            .Text(filter.Credential, "credential", MaxTextLength)
            .Text(filter.RequestId, "request_id", MaxTextLength)
            .Require(filter.Status is null or (>= LeastStatus and <= MostStatus), "status")
            .Require(filter.MinStatus is null or (>= LeastStatus and <= MostStatus), "min_status")
            .ThrowIfAny();

    private static class Sql
    {
        public const string List = $"""
            {RequestRow.Columns}
             WHERE merchant_id = @MerchantId
               AND entry_id >= @FirstId
               AND entry_id < @Until
               AND entry_id < @Before
               AND (@Service::text IS NULL OR service = @Service)
               AND (@Method::text IS NULL OR method = @Method)
               AND (@Route::text IS NULL OR route = @Route)
               AND (@Path::text IS NULL OR starts_with(path, @Path))
               AND (@Status::integer IS NULL OR status = @Status)
               AND (@MinStatus::integer IS NULL OR status >= @MinStatus)
               AND (@Credential::text IS NULL OR credential = @Credential)
               AND (@RequestId::text IS NULL OR request_id = @RequestId)
             ORDER BY entry_id DESC
             LIMIT @Take
            """;
    }
}
