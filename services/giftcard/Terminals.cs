using System.Collections.Concurrent;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Giftcard;

/// <summary>
/// The tills of a merchant, which the merchant service knows. Its word counts for <see cref="Lifetime"/>, so a blocked
/// till pays nothing any more after that; while it says nothing, a till that was known is served for
/// <see cref="StaleLifetime"/>, and any other is busy.
/// </summary>
internal sealed class Terminals(HttpClient merchants, TimeProvider time)
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(5);
    public static readonly TimeSpan StaleLifetime = TimeSpan.FromSeconds(60);
    private const int RememberedMax = 50_000;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<(MerchantId Merchant, TerminalId Id), Known> remembered = new();

    /// <summary>
    /// Refuses with invalid_request unless the till is the merchant's, and stands at the location if one is named; with
    /// terminal_blocked when it is blocked; busy when nobody can say.
    /// </summary>
    public async Task RequireAsync(
        MerchantId merchant,
        TerminalId? terminal,
        LocationId? location,
        CancellationToken cancel,
        string pointer = "/terminal_id"
    )
    {
        if (terminal is not { } id)
        {
            return;
        }

        var known = await FindAsync(merchant, id, pointer, cancel);
        if (location is { } place && known.LocationId != place)
        {
            throw Faults.Invalid(pointer, "The terminal stands at another location.");
        }

        if (known.Blocked)
        {
            throw new FaultException(Faults.TerminalBlocked, "The terminal is blocked.");
        }
    }

    private async Task<Known> FindAsync(MerchantId merchant, TerminalId id, string pointer, CancellationToken cancel)
    {
        var hit = remembered.GetValueOrDefault((merchant, id));
        if (hit is not null && time.GetElapsedTime(hit.At) < Lifetime)
        {
            return hit;
        }

        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        deadline.CancelAfter(Deadline);
        try
        {
            var path = new Uri($"/internal/terminals/{id}?merchant_id={merchant}", UriKind.Relative);
            using var answer = await merchants.GetAsync(path, deadline.Token);
            if (await PeerRefusals.IsNoSuchObjectAsync(answer, deadline.Token))
            {
                throw Faults.Invalid(pointer, "There is no such thing of this merchant.");
            }

            var told = await answer
                .EnsureSuccessStatusCode()
                .Content.ReadFromJsonAsync<Told>(StrictJson.Lenient, deadline.Token);
            return Remember((merchant, id), new Known(told!.LocationId, told.Blocked, time.GetTimestamp()));
        }
        catch (Exception exception)
            when (exception is HttpRequestException or System.Text.Json.JsonException
                || exception is OperationCanceledException && !cancel.IsCancellationRequested
            )
        {
            return hit is not null && time.GetElapsedTime(hit.At) < StaleLifetime
                ? hit
                : throw new FaultException(CommonFaults.Busy, $"{pointer} can not be verified at the moment.");
        }
    }

    private Known Remember((MerchantId Merchant, TerminalId Id) key, Known known)
    {
        if (remembered.Count >= RememberedMax)
        {
            remembered.Clear();
        }

        return remembered[key] = known;
    }

    private sealed record Told(LocationId LocationId, bool Blocked);

    private sealed record Known(LocationId LocationId, bool Blocked, long At);
}
