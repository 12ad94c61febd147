using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Erasure;

/// <summary>
/// The job erasure-reconciliation: each service that keeps something of people has a list of those it has forgotten,
/// and after a restore of an older backup the lists differ. Who is on another's list is forgotten here again; who is on
/// this one's and not on another's is told of again. Safe to run twice at once, and run after every restore.
/// </summary>
internal sealed class ErasureReconciliation(
    Database database,
    Eraser eraser,
    ForgottenElsewhere elsewhere,
    ILogger<ErasureReconciliation> log
) : IJob
{
    public const string Name = "erasure-reconciliation";
    private const int PageSize = 1000;

    public async Task RunAsync(CancellationToken cancel)
    {
        var (again, told) = (0, 0);
        foreach (var peer in elsewhere.Peers)
        {
            var theirs = await ForgottenElsewhere.ListAsync(peer, cancel);
            again += await ForgetAgainAsync(theirs, cancel);
            told += await TellAgainAsync([.. theirs.Select(e => e.CustomerId)], cancel);
        }

        log.ErasuresReconciled(again, told);
    }

    private async Task<int> ForgetAgainAsync(IReadOnlyList<ErasureRow> theirs, CancellationToken cancel)
    {
        var total = 0;
        foreach (var page in theirs.Chunk(PageSize))
        {
            await using var db = await database.BeginAsync(cancel);
            var missing = await ErasureList.MissingAsync(db, page);
            foreach (var erasure in missing)
            {
                await eraser.ForgetAgainAsync(db, erasure, Name);
            }

            await db.CommitAsync();
            total += missing.Count;
        }

        return total;
    }

    /// <summary>Also of who was erased a moment ago and is still to be told of: twice does no harm.</summary>
    private async Task<int> TellAgainAsync(HashSet<CustomerId> theirs, CancellationToken cancel)
    {
        var (total, after) = (0, default(CustomerId));
        while (true)
        {
            await using var db = await database.BeginAsync(cancel);
            var page = await db.QueryAsync<ErasureRow>(ErasureList.Sql.List, new { After = after, Take = PageSize });
            foreach (var erasure in page.Where(e => !theirs.Contains(e.CustomerId)))
            {
                await Eraser.TellAsync(db, erasure, sequence: 1);
                total++;
            }

            await db.CommitAsync();
            if (page.Count < PageSize)
            {
                return total;
            }

            after = page[^1].CustomerId;
        }
    }
}

/// <summary>
/// The lists of the services that keep something of people. Throws <see cref="HttpRequestException"/> when one of them
/// is away: a job that has not seen all says so.
/// </summary>
internal sealed class ForgottenElsewhere(HttpClient giftcard, HttpClient notification) : IDisposable
{
    public IReadOnlyList<HttpClient> Peers { get; } = [giftcard, notification];

    public static async Task<IReadOnlyList<ErasureRow>> ListAsync(HttpClient peer, CancellationToken cancel)
    {
        var list = new List<ErasureRow>();
        CustomerId? after = default(CustomerId);
        while (after is { } last)
        {
            var page = await peer.GetFromJsonAsync<Page>(
                $"/internal/forgotten_holders?after={last}",
                StrictJson.Lenient,
                cancel
            );
            list.AddRange(page!.Forgotten);
            after = page.Next;
        }

        return list;
    }

    public void Dispose()
    {
        giftcard.Dispose();
        notification.Dispose();
    }

    private sealed record Page(IReadOnlyList<ErasureRow> Forgotten, CustomerId? Next);
}
