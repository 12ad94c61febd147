using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Programs;

/// <summary>
/// Whether a location is the merchant's own, which the merchant service knows. What was found is kept in a cache, for
/// an owner never changes: a till whose location has been seen is served without asking.
/// </summary>
internal sealed class LocationOwnership(HttpClient merchants, Caches caches)
{
    public static readonly CachePolicy Location = new("location", TimeSpan.FromMinutes(5))
    {
        Spare = TimeSpan.FromHours(12),
        IsForGood = true,
    };

    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(1);

    public async Task RequireAsync(
        MerchantId merchant,
        IReadOnlyList<EarningLocation> locations,
        CancellationToken cancel
    )
    {
        foreach (var (n, place) in locations.Index())
        {
            await RequireAsync(merchant, place.LocationId, $"/locations/{n}/location_id", cancel);
        }
    }

    /// <summary>Refuses with invalid_request unless it is the merchant's; busy when that can not be asked.</summary>
    public async Task RequireAsync(MerchantId merchant, LocationId location, string pointer, CancellationToken cancel)
    {
        try
        {
            var found = await caches.GetAsync(
                Location,
                $"{merchant}.{location}",
                token => AskAsync(merchant, location, token),
                cancel
            );
            if (found is null)
            {
                throw Faults.Invalid(pointer, "There is no such location of this merchant.");
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

    /// <summary>Null: merchant knows no such location of this merchant.</summary>
    private async Task<Cached<bool>?> AskAsync(MerchantId merchant, LocationId location, CancellationToken cancel)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        deadline.CancelAfter(Deadline);
        using var answer = await merchants.GetAsync(
            new Uri($"/internal/locations/{location}?merchant_id={merchant}", UriKind.Relative),
            deadline.Token
        );
        if (await PeerRefusals.IsNoSuchObjectAsync(answer, deadline.Token))
        {
            return null;
        }

        answer.EnsureSuccessStatusCode();
        return new(true, 0);
    }
}
