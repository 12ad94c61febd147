using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Accounts;

namespace LocalPlus.Ledger.Entries;

/// <summary>
/// GET /v1/accounts/{id}/entries: newest first, each with the balance it left; filters recorded from and to.
/// </summary>
internal static class ListEntries
{
    public static IEndpointRouteBuilder MapListEntries(this IEndpointRouteBuilder group)
    {
        group
            .MapGet("/accounts/{id}/entries", HandleAsync)
            .RequireScope("ledger:read")
            .WithName(nameof(ListEntries))
            .Produces<Page<EntryView>>();
        return group;
    }

    private static async Task<IResult> HandleAsync(
        AccountId id,
        Instant? from,
        Instant? to,
        int? limit,
        string? cursor,
        HttpContext http,
        Database database,
        CursorCodec cursors,
        CancellationToken cancel
    )
    {
        var (merchant, size, period) = (http.GetMerchant().MerchantId, CursorCodec.Limit(limit), Period.Of(from, to));
        var filters = $"entries\n{id}\n{period}";
        var before = EntryPosition.Of(cursors.Read(cursor, merchant, filters));
        var account = await AccountReader.FindAsync(database, merchant, id, cancel);
        var rows = await EntryReader.BeforeAsync(database, account, before, period.From, period.To, size + 1, cancel);
        var page = Page<EntryRow>.Of(
            rows,
            size,
            row => cursors.Write(EntryPosition.Of(row).ToKeyset(), merchant, filters)
        );
        return Answer.Ok(new Page<EntryView>([.. page.Data.Select(EntryView.Of)], page.NextCursor, page.HasMore));
    }
}
