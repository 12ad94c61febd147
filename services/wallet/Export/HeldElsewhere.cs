using System.Text.Json;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Export;

/// <summary>
/// What the other services keep of a person, in their own words: they know ids alone, so it is asked for by id. Busy
/// when one of them is away: half of an answer would be a wrong one.
/// </summary>
internal sealed class HeldElsewhere : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);
    private readonly HttpClient giftcard;
    private readonly HttpClient notification;

    public HeldElsewhere(HttpClient giftcard, HttpClient notification)
    {
        (this.giftcard, this.notification) = (giftcard, notification);
        giftcard.Timeout = Timeout;
        notification.Timeout = Timeout;
    }

    /// <summary>The holder's cards with what moved their value and what was written to whom they were for.</summary>
    public Task<IReadOnlyList<JsonElement>> CardsAsync(CustomerId id, MerchantId merchant, CancellationToken cancel) =>
        AllAsync(giftcard, "giftcard", id, merchant, cancel);

    /// <summary>The messages to the holder.</summary>
    public Task<IReadOnlyList<JsonElement>> MessagesAsync(
        CustomerId id,
        MerchantId merchant,
        CancellationToken cancel
    ) => AllAsync(notification, "notification", id, merchant, cancel);

    public void Dispose()
    {
        giftcard.Dispose();
        notification.Dispose();
    }

    private static async Task<IReadOnlyList<JsonElement>> AllAsync(
        HttpClient peer,
        string name,
        CustomerId id,
        MerchantId merchant,
        CancellationToken cancel
    )
    {
        var all = new List<JsonElement>();
        var (after, isLast) = (Guid.Empty, false);
        try
        {
            while (!isLast)
            {
                var page = await peer.GetFromJsonAsync<Page>(
                    $"/internal/holders/{id}?merchant_id={merchant}&after={after}",
                    StrictJson.Lenient,
                    cancel
                );
                all.AddRange(page!.Data);
                (after, isLast) = (page.Next ?? after, page.Next is null);
            }
        }
        catch (Exception exception)
            when (exception is HttpRequestException or JsonException
                || exception is OperationCanceledException && !cancel.IsCancellationRequested
            )
        {
            throw new FaultException(CommonFaults.Busy, $"What {name} keeps can not be read at the moment.");
        }

        return all;
    }

    private sealed record Page(IReadOnlyList<JsonElement> Data, Guid? Next);
}
