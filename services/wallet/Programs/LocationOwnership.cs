using System.Collections.Concurrent;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Programs;

/// <summary>
/// Whether a location is the merchant's own, which the merchant service knows. What was found is remembered, for an
/// owner never changes: a till whose location has been seen is served without asking.
/// </summary>
internal sealed class LocationOwnership(HttpClient merchants)
{
    private const int RememberedMax = 50_000;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(1);
    private readonly ConcurrentDictionary<(MerchantId Merchant, LocationId Location), bool> remembered = new();

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
        if (remembered.ContainsKey((merchant, location)))
        {
            return;
        }

        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        deadline.CancelAfter(Deadline);
        try
        {
            using var answer = await merchants.GetAsync(
                new Uri($"/internal/locations/{location}?merchant_id={merchant}", UriKind.Relative),
                deadline.Token
            );
            if (await PeerRefusals.IsNoSuchObjectAsync(answer, deadline.Token))
            {
                throw Faults.Invalid(pointer, "There is no such location of this merchant.");
            }

            answer.EnsureSuccessStatusCode();
        }
        catch (Exception exception)
            when (exception is HttpRequestException
                || exception is OperationCanceledException && !cancel.IsCancellationRequested
            )
        {
            throw new FaultException(CommonFaults.Busy, $"{pointer} can not be verified at the moment.");
        }

        if (remembered.Count >= RememberedMax)
        {
            remembered.Clear();
        }

        remembered[(merchant, location)] = true;
    }
}
