using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Ledger.Proof;

/// <summary>
/// GET /v1/checkpoints, newest first; /v1/checkpoints/latest; /v1/checkpoints/{size}; /v1/checkpoints/key: the public
/// key; /v1/checkpoints/consistency?from=SIZE&amp;to=SIZE: proof that the tree of one checkpoint continues that of
/// another.
/// </summary>
internal static class Checkpoints
{
    public static IEndpointRouteBuilder MapCheckpoints(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/checkpoints", ListAsync)
            .RequireScope("ledger:read")
            .WithName("ListCheckpoints")
            .Produces<Page<CheckpointView>>();
        group
            .MapGet("/checkpoints/latest", GetLatestAsync)
            .RequireScope("ledger:read")
            .WithName("GetLatestCheckpoint")
            .Produces<CheckpointView>()
            .Refuses(CommonFaults.NotFound);
        group
            .MapGet("/checkpoints/{size:long}", GetAsync)
            .RequireScope("ledger:read")
            .WithName("GetCheckpoint")
            .Produces<CheckpointView>();
        group
            .MapGet("/checkpoints/consistency", ProveAsync)
            .RequireScope("ledger:read")
            .WithName("ProveConsistency")
            .Produces<ConsistencyView>()
            .Refuses(CommonFaults.NotFound);
        group
            .MapGet("/checkpoints/key", GetKeyAsync)
            .RequireScope("ledger:read")
            .WithName("GetLogKey")
            .Produces<CheckpointKeyView>();
        return group;
    }

    private static async Task<IResult> ListAsync(
        int? limit,
        string? cursor,
        HttpContext http,
        Database database,
        CursorCodec cursors,
        CancellationToken cancel
    )
    {
        const string filters = "checkpoints";
        var (merchant, count) = (http.GetMerchant().MerchantId, CursorCodec.Limit(limit));
        var below = cursors.Read(cursor, merchant, filters).Number;
        var rows = await database.QueryAsync<Row>(Sql.List, new { below, Limit = count + 1 }, cancel);
        var page = Page<Row>.Of(
            rows,
            count,
            row => cursors.Write(Keyset.Of(row.SignedAt, row.Size), merchant, filters)
        );
        return Answer.Ok(new Page<CheckpointView>([.. page.Data.Select(View)], page.NextCursor, page.HasMore));
    }

    private static async Task<IResult> GetLatestAsync(Database database, CancellationToken cancel) =>
        Answer.Ok(View(await LatestAsync(database, cancel)));

    private static async Task<IResult> GetAsync(long size, Database database, CancellationToken cancel) =>
        Answer.Ok(View(await FindAsync(database, size, cancel)));

    private static async Task<IResult> ProveAsync(
        long from,
        long? to,
        Database database,
        LogTree tree,
        CancellationToken cancel
    )
    {
        var old = await FindAsync(database, from, cancel);
        var fresh = to is { } size ? await FindAsync(database, size, cancel) : await LatestAsync(database, cancel);
        if (old.Size > fresh.Size)
        {
            throw new FaultException(
                CommonFaults.InvalidRequest,
                "from is the smaller size.",
                new FieldError("from", "out_of_range")
            );
        }

        var path = await tree.HashesAsync(Merkle.ConsistencyPath(old.Size, fresh.Size), cancel);
        return Answer.Ok(new ConsistencyView("consistency_proof", old.Note, fresh.Note, path));
    }

    private static Task<Answer> GetKeyAsync(LogKey key) => Task.FromResult(Answer.Ok(key.View()));

    private static async Task<Row> LatestAsync(Database database, CancellationToken cancel) =>
        await database.QuerySingleOrDefaultAsync<Row>(Sql.List, new { Below = long.MaxValue, Limit = 1 }, cancel)
        ?? throw new FaultException(CommonFaults.NotFound, "Nothing has been signed yet.");

    private static async Task<Row> FindAsync(Database database, long size, CancellationToken cancel) =>
        await database.QuerySingleOrDefaultAsync<Row>(Sql.Find, new { size }, cancel)
        ?? throw new FaultException(CommonFaults.NotFound, $"No checkpoint of {size} leaves was signed.");

    private static CheckpointView View(Row row) => new("checkpoint", row.Size, row.Root, row.Note, row.SignedAt);

    private sealed record Row(long Size, byte[] Root, string Note, DateTimeOffset SignedAt);

    private sealed record CheckpointView(string Object, long Size, byte[] Root, string Note, DateTimeOffset SignedAt);

    private sealed record ConsistencyView(string Object, string From, string To, IReadOnlyList<byte[]> Path);

    private static class Sql
    {
        public const string List = """
            SELECT size, root, note, signed_at
              FROM log_checkpoints
             WHERE size < @Below
             ORDER BY size DESC
             LIMIT @Limit
            """;

        public const string Find = "SELECT size, root, note, signed_at FROM log_checkpoints WHERE size = @Size";
    }
}
