using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Notification.Readers;

namespace LocalPlus.Notification.Mails;

/// <summary>Whom a message goes to and what they are called. Lives for one sending, is never stored.</summary>
/// <param name="Support">Where the shop's customers turn to, if it has said so.</param>
/// <param name="Phone">A number that takes SMS, as E.164 has it.</param>
/// <param name="TimeZone">The shop's.</param>
internal sealed record Recipient(
    string Address,
    string? Name,
    string Locale,
    string Shop,
    string? Support = null,
    string? Phone = null,
    string? TimeZone = null
)
{
    /// <summary>Where it is reached by the channel, if it is.</summary>
    public string? At(string channel) => channel == Channels.Sms ? Phone : Address;
}

/// <summary>
/// Asks the services that know: the wallet for holders, the merchant service for merchants. Throws
/// <see cref="HttpRequestException"/> or <see cref="TaskCanceledException"/> while one of them is away.
/// </summary>
internal sealed class Recipients : IDisposable
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);
    private readonly HttpClient wallet;
    private readonly HttpClient merchant;

    public Recipients(HttpClient wallet, HttpClient merchant)
    {
        (this.wallet, this.merchant) = (wallet, merchant);
        wallet.Timeout = Timeout;
        merchant.Timeout = Timeout;
    }

    /// <summary>The merchant itself, or null when it does not exist.</summary>
    public async Task<Recipient?> OfMerchantAsync(MerchantId id, CancellationToken cancel) =>
        await GetAsync<MerchantContact>(merchant, $"/internal/merchants/{id}/contact", cancel) is { } contact
            ? new Recipient(contact.ContactEmail, Name: null, contact.Locale, contact.Name, contact.SupportEmail)
            : null;

    /// <summary>
    /// A holder, who is a customer of the card's <paramref name="issuer"/> and was at <paramref name="shop"/>.
    /// </summary>
    public async Task<Recipient?> OfHolderAsync(
        CustomerId id,
        MerchantId issuer,
        MerchantId shop,
        CancellationToken cancel
    )
    {
        var contact = await GetAsync<CustomerContact>(
            wallet,
            $"/internal/customers/{id}/contact?merchant_id={issuer}",
            cancel
        );
        var seller = contact is null
            ? null
            : await GetAsync<MerchantContact>(merchant, $"/internal/merchants/{shop}/contact", cancel);
        return contact is null || seller is null
            ? null
            : new Recipient(
                contact.Email,
                contact.Name,
                contact.Locale,
                seller.Name,
                seller.SupportEmail,
                SmsNumbers.Normalize(contact.Phone, seller.Country),
                seller.TimeZone
            );
    }

    public void Dispose()
    {
        wallet.Dispose();
        merchant.Dispose();
    }

    private static async Task<T?> GetAsync<T>(HttpClient service, string path, CancellationToken cancel)
        where T : class
    {
        using var answer = await service.GetAsync(new Uri(path, UriKind.Relative), cancel);
        return await PeerRefusals.IsNoSuchObjectAsync(answer, cancel)
            ? null
            : await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<T>(StrictJson.Lenient, cancel);
    }

    private sealed record MerchantContact(
        string Name,
        string Locale,
        string ContactEmail,
        string? SupportEmail = null,
        string? Country = null,
        string? TimeZone = null
    );

    private sealed record CustomerContact(string Email, string? Name, string Locale, string? Phone = null);
}
