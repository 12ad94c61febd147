using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard;

/// <summary>
/// Whether what a request refers to is its merchant's own: locations are the merchant service's, customers the
/// wallet's. What was found is kept in a cache, for an owner never changes. Where the peer does not answer in time the
/// request is busy: nothing is written down about somebody else's things on trust, and a till whose location has been
/// seen is served without asking.
/// </summary>
internal sealed class Ownership(HttpClient merchants, HttpClient wallet, Caches caches)
{
    public static readonly CachePolicy Location = new("location", TimeSpan.FromMinutes(5))
    {
        Spare = TimeSpan.FromHours(12),
        IsForGood = true,
    };

    /// <summary>Who is forgotten is nobody's customer from then on.</summary>
    public static readonly CachePolicy Customer = new("customer", TimeSpan.FromMinutes(5));

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(1);

    /// <summary>Under which a merchant's thing is kept.</summary>
    public static string Of<TId>(MerchantId merchant, TId id)
        where TId : struct, IId<TId> => $"{merchant}.{id}";

    /// <summary>
    /// Refuses with invalid_request unless the customer is the merchant's; busy when the wallet is
    /// away.
    /// </summary>
    public Task RequireCustomerAsync(MerchantId merchant, CustomerId customer, CancellationToken cancel) =>
        RequireAsync(
            wallet,
            Customer,
            Of(merchant, customer),
            $"/internal/customer_ids/{customer}?merchant_id={merchant}",
            "/customer_id",
            cancel
        );

    /// <summary>
    /// Refuses with invalid_request unless the location is the merchant's; busy when the merchant service is
    /// away.
    /// </summary>
    public Task RequireLocationAsync(
        MerchantId merchant,
        LocationId location,
        string pointer,
        CancellationToken cancel
    ) =>
        RequireAsync(
            merchants,
            Location,
            Of(merchant, location),
            $"/internal/locations/{location}?merchant_id={merchant}",
            pointer,
            cancel
        );

    /// <summary>As the other, for what may be left out.</summary>
    public Task RequireLocationAsync(MerchantId merchant, LocationId? location, CancellationToken cancel) =>
        location is { } id ? RequireLocationAsync(merchant, id, "/location_id", cancel) : Task.CompletedTask;

    /// <summary>As the other, for a list.</summary>
    public async Task RequireLocationsAsync(
        MerchantId merchant,
        IReadOnlyList<LocationId>? locations,
        CancellationToken cancel
    )
    {
        foreach (var (n, location) in (locations ?? []).Index())
        {
            await RequireLocationAsync(merchant, location, $"/locations/{n}", cancel);
        }
    }

    private async Task RequireAsync(
        HttpClient peer,
        CachePolicy kind,
        string key,
        string path,
        string pointer,
        CancellationToken cancel
    )
    {
        try
        {
            if (await caches.GetAsync(kind, key, token => AskAsync(peer, path, token), cancel) is null)
            {
                throw Faults.Invalid(pointer, "There is no such thing of this merchant.");
            }
        }
        catch (Exception exception)
            when (exception is HttpRequestException
                || exception is OperationCanceledException && !cancel.IsCancellationRequested
            )
        {
            throw new FaultException(CommonFaults.Busy, $"{pointer} can not be verified at the moment.");
        }
    }

    /// <summary>Null: the peer knows no such thing of the merchant's.</summary>
    private static async Task<Cached<bool>?> AskAsync(HttpClient peer, string path, CancellationToken cancel)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        deadline.CancelAfter(Deadline);
        using var answer = await peer.GetAsync(new Uri(path, UriKind.Relative), deadline.Token);
        if (await PeerRefusals.IsNoSuchObjectAsync(answer, deadline.Token))
        {
            return null;
        }

        answer.EnsureSuccessStatusCode();
        return new(true, 0);
    }
}
