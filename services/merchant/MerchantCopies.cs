using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Merchant;

/// <summary>
/// Merchants as they see themselves, out of a cache for 5 minutes or until a change is told. They say how to reach
/// people, so they stay in the process. A verdict on a key is not made of them.
/// </summary>
internal sealed class MerchantCopies(Database database, Caches caches)
{
    public static readonly CachePolicy Config = new("config", TimeSpan.FromMinutes(5))
    {
        Spare = TimeSpan.FromMinutes(30),
        Shared = false,
    };

    /// <summary>The merchant and its version; null where there is none.</summary>
    public Task<Cached<MerchantView>?> GetAsync(MerchantId id, CancellationToken cancel) =>
        caches.GetAsync(
            Config,
            id.ToString(),
            async token =>
                await database.QuerySingleOrDefaultAsync<MerchantRow>(Sql.Get, new { MerchantId = id }, token)
                    is { } row
                    ? new Cached<MerchantView>(row.ToView(), row.Version)
                    : null,
            cancel
        );

    /// <summary>Has copies dropped once the change is committed.</summary>
    public void DropWith(DbSession db, MerchantRow changed) =>
        caches.InvalidateWith(db, Config, changed.MerchantId.ToString(), changed.Version);

    /// <summary>
    /// merchant.changed.v1, this service's own: for a replica that died before it could tell the others.
    /// </summary>
    public static Task HandleAsync(
        IReadOnlyList<EventEnvelope<Changed>> events,
        DbSession db,
        IServiceProvider services
    ) =>
        Task.WhenAll(
            events.Select(e => services.GetRequiredService<Caches>().InvalidateAsync(Config, e.Key, e.Sequence))
        );

    private static class Sql
    {
        public const string Get = $"{MerchantRow.Columns} WHERE m.merchant_id = @MerchantId";
    }
}
