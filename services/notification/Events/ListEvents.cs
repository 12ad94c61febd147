using LocalPlus.Hosting;

namespace LocalPlus.Notification.Events;

/// <summary>
/// GET /v1/events: what happened to the merchant's objects in the last 30 days, in the form in which webhooks carry it;
/// newest first, or with order=oldest as a feed: its next_cursor is always there, and asking with it again later gives
/// what has come since, nothing left out. Refusals: invalid_request.
/// </summary>
internal static class ListEvents
{
    private const int MaxObjectLength = 60;

    internal sealed record Query
    {
        public int? Limit { get; init; }

        public string? Cursor { get; init; }

        /// <summary>A type, as gift_card.activated, or all of a kind, as gift_card.*.</summary>
        public string? Type { get; init; }

        /// <summary>The id of what it happened to.</summary>
        public string? Object { get; init; }

        /// <summary>Happened then or later.</summary>
        public DateTimeOffset? From { get; init; }

        /// <summary>Happened before.</summary>
        public DateTimeOffset? Until { get; init; }

        /// <summary>newest (default) or oldest first.</summary>
        public string? Order { get; init; }
    }

    public static IEndpointRouteBuilder MapListEvents(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/events", HandleAsync)
            .RequireScope("events:read")
            .WithName(nameof(ListEvents))
            .Produces<Page<MerchantEvent>>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        HttpContext http,
        [AsParameters] Query query,
        Database database,
        CursorCodec cursors,
        TimeProvider time,
        CancellationToken cancel
    )
    {
        var merchant = http.GetMerchant().MerchantId;
        var size = CursorCodec.Limit(query.Limit);
        var isFeed = Check(query);
        var filters = $"events {isFeed} {query.Type} {query.Object} {query.From?.UtcTicks} {query.Until?.UtcTicks}";
        var position = FeedPosition.Read(cursors, query.Cursor, merchant, filters);
        var oldest = time.GetUtcNow() - KeptTime.Life;
        var (from, until) = (query.From > oldest ? query.From.Value : oldest, query.Until ?? DateTimeOffset.MaxValue);
        var rows = await database.SearchAsync<KeptEventRow>(
            isFeed ? Sql.Oldest : Sql.Newest,
            new
            {
                MerchantId = merchant,
                Position = position ?? (isFeed ? 0 : long.MaxValue),
                From = from,
                Until = until,
                FirstId = KeptTime.FirstId(from),
                LastId = KeptTime.LastId(until),
                query.Type,
                Kind = query.Type?[..^1],
                Key = query.Object,
                Limit = size + 1,
            },
            cancel
        );
        return Answer.Ok(
            PageOf(rows, size, isFeed, at => FeedPosition.Write(cursors, at, merchant, filters), position)
        );
    }

    private static Page<MerchantEvent> PageOf(
        IReadOnlyList<KeptEventRow> rows,
        int size,
        bool isFeed,
        Func<long, string> cursor,
        long? before
    )
    {
        var shown = rows.Take(size).ToArray();
        var hasMore = rows.Count > size;
        var last = shown is [.., var end] ? end.Position : before ?? 0;
        return new([.. shown.Select(row => row.ToView())], hasMore || isFeed ? cursor(last) : null, hasMore);
    }

    /// <summary>Whether oldest come first; 400 for what no event could meet.</summary>
    private static bool Check(Query query)
    {
        new FieldChecks()
            .Require(query.Type is null || EventTypes.IsKnown(query.Type), "type", "unknown_event_type")
            .Text(query.Object, "object", MaxObjectLength)
            .Require(query.Order is null or "newest" or "oldest", "order", "invalid")
            .ThrowIfAny();
        return query.Order == "oldest";
    }

    private static class Sql
    {
        private const string Where = """
            SELECT event_id, position, topic, type, key, sequence, occurred_at, data::text AS data
              FROM merchant_events
             WHERE merchant_id = @MerchantId
               AND event_id BETWEEN @FirstId AND @LastId
               AND occurred_at >= @From
               AND occurred_at < @Until
               AND (@Type::text IS NULL OR type = @Type OR (@Type LIKE '%*' AND starts_with(type, @Kind)))
               AND (@Key::text IS NULL OR key = @Key)
            """;

        public const string Newest = $"""
            {Where}
               AND position < @Position
             ORDER BY position DESC
             LIMIT @Limit
            """;

        public const string Oldest = $"""
            {Where}
               AND position > @Position
             ORDER BY position
             LIMIT @Limit
            """;
    }
}
