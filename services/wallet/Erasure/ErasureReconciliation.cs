using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Erasure;

/// <summary>
/// Each service that keeps something of people has a list of those it has forgotten, and after a restore of an older
/// backup the lists differ. When this service starts, and every hour, they are compared: who is on another's list is
/// forgotten here again; who is on this one's and not on another's is told of again. Replicas may do it at once.
/// </summary>
internal sealed class ErasureReconciliation(
    Database database,
    Eraser eraser,
    ForgottenElsewhere elsewhere,
    TimeProvider time,
    ILogger<ErasureReconciliation> log
) : BackgroundService
{
    private const string Name = "erasure-reconciliation";
    private const int PageSize = 1000;
    private static readonly TimeSpan Pace = TimeSpan.FromHours(1);

    /// <summary>Until the others were there once, they are asked so often.</summary>
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            await Task.Delay(await TryAsync(stoppingToken) ? Pace : Retry, time, stoppingToken);
        }
    }

    private async Task<bool> TryAsync(CancellationToken cancel)
    {
        try
        {
            await ReconcileAsync(cancel);
            return true;
        }
        catch (Exception exception) when (!cancel.IsCancellationRequested)
        {
            log.ErasuresNotReconciled(Retry.TotalMilliseconds, exception.Message);
            return false;
        }
    }

    private async Task ReconcileAsync(CancellationToken cancel)
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
/// is away.
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
