using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Giftcard;

internal sealed record OfflinePayment(
    int Counter,
    string Code,
    long Amount,
    string Currency,
    string At,
    string? Reference,
    string Hash
);

/// <summary>A till's own side of the chain, written from the documentation and not from the service's code.</summary>
internal sealed class OfflineTill(GiftcardApi api, string terminal, string token, byte[] link, string? key)
{
    private byte[] link = link;
    private int counter;

    public string Key => key ?? api.Key;

    public string BatchPath => $"/v1/terminals/{terminal}/offline_batches";

    public static async Task<OfflineTill> OpenAsync(GiftcardApi api, long cardCap, long totalCap, string? key = null)
    {
        var terminal = new TerminalId(Guid.CreateVersion7()).ToString();
        var answer = await api.PostAsync(
            $"/v1/terminals/{terminal}/offline_allowances",
            new
            {
                card_cap = GiftcardApi.Eur(cardCap),
                total_cap = GiftcardApi.Eur(totalCap),
                valid_seconds = 3600,
            },
            201,
            key: key
        );
        return new(
            api,
            terminal,
            answer.GetProperty("token").GetString()!,
            Convert.FromHexString(answer.GetProperty("first_link").GetString()!),
            key
        );
    }

    /// <summary>Another till that goes on from here, as a copied one would.</summary>
    public OfflineTill Copy() => new(api, terminal, token, link, key) { counter = counter };

    public OfflinePayment Item(string code, long amount, DateTimeOffset? at = null)
    {
        var time = (at ?? TimeProvider.System.GetUtcNow()).ToString(
            "yyyy-MM-ddTHH:mm:ss.fffZ",
            CultureInfo.InvariantCulture
        );
        var plain = code.Replace("-", "", StringComparison.Ordinal);
        counter++;
        link = SHA256.HashData(
            Encoding.UTF8.GetBytes($"{Convert.ToHexStringLower(link)}\n{counter}\n{plain}\n{amount}\nEUR\n{time}\n")
        );
        return new(counter, code, amount, "EUR", time, null, Convert.ToHexStringLower(link));
    }

    public object Batch(params OfflinePayment[] items) =>
        new
        {
            allowance = token,
            items = items.Select(i => new
            {
                counter = i.Counter,
                gift_card = new { code = i.Code },
                amount = new { amount = i.Amount, currency = i.Currency },
                occurred_at = i.At,
                hash = i.Hash,
            }),
        };

    /// <summary>Sends a batch until nothing of it waits: a slow machine leaves some items to the sweeper.</summary>
    public async Task<JsonElement[]> SettledAsync(params OfflinePayment[] items)
    {
        JsonElement[] settled = [];
        await Eventually.TrueAsync(async () =>
        {
            var answer = await api.PostAsync(BatchPath, Batch(items), 200, "", key);
            settled = [.. answer.GetProperty("items").EnumerateArray()];
            return settled.All(i => i.GetProperty("state").GetString() != "pending");
        });
        return settled;
    }
}
