using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Notification.Mails;

/// <summary>What a mail that carries a digital card says. Lives for one sending, is never stored.</summary>
/// <param name="ExpiresAt">When what is on it ends; null for never.</param>
internal sealed record CardDelivery(
    string Code,
    string? Pin,
    Money Amount,
    string? From,
    string? Message,
    DateTimeOffset? ExpiresAt = null
);

/// <summary>
/// Asks the gift card service for what a digital card's mail carries. Throws <see cref="HttpRequestException"/> or
/// <see cref="TaskCanceledException"/> while it is away.
/// </summary>
internal sealed class CardDeliveries : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);
    private readonly HttpClient giftcard;

    public CardDeliveries(HttpClient giftcard)
    {
        this.giftcard = giftcard;
        giftcard.Timeout = Timeout;
    }

    /// <summary>Null when the card's code may not be had any more.</summary>
    public async Task<CardDelivery?> OfAsync(GiftCardId card, CancellationToken cancel)
    {
        using var answer = await giftcard.GetAsync(
            new Uri($"/internal/gift_cards/{card}/delivery", UriKind.Relative),
            cancel
        );
        return await PeerRefusals.IsNoSuchObjectAsync(answer, cancel)
            ? null
            : await answer
                .EnsureSuccessStatusCode()
                .Content.ReadFromJsonAsync<CardDelivery>(StrictJson.Lenient, cancel);
    }

    public void Dispose() => giftcard.Dispose();
}
