using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Notification;

/// <summary>The key of addresses' hashes is replaced, and nobody is written to who did not want it.</summary>
public sealed class AddressKeyTests(NotificationApi api) : IClassFixture<NotificationApi>
{
    private const string Setting = "Secrets__address_key";
    private static readonly string First = new('a', 40);
    private static readonly string Next = new('b', 40);

    [Fact]
    public async Task What_readers_said_and_where_nothing_goes_is_kept_when_the_key_is_replaced()
    {
        var (shop, key) = api.NewMerchant("Keeper");
        var (anna, gone) = (api.NewCustomer("Anna"), api.NewCustomer("Gone"));
        api.Smtp.Unknown[gone.ToString()] = true;
        await api.ActivateAsync(shop, gone);
        await api.ActivateAsync(shop, anna);
        var link = new Uri((await api.MailToAsync(anna)).Header("List-Unsubscribe")!.Trim('<', '>')).AbsolutePath;
        var wishes = $"/v1/notification_preferences/{anna}";
        await api.Service.PutAsync(wishes, key, 0, new { declined = new[] { "redemption_completed" } });
        await Eventually.TrueAsync(async () => await SuppressedAsync(key) == 1, because: () => api.Service.Output);

        await api.RestartAsync((Setting, $"{Next},{First}"));
        Assert.Equal(["redemption_completed"], await DeclinedAsync(wishes, key));
        // A link of before is good, and what it says is kept with the rest.
        using (var form = new FormUrlEncodedContent([new("List-Unsubscribe", "One-Click")]))
        using (var page = await api.Service.Public.PostAsync(new Uri(link, UriKind.Relative), form))
        {
            Assert.True(page.IsSuccessStatusCode);
        }

        Assert.Equal(["gift_card_activated", "redemption_completed"], await DeclinedAsync(wishes, key));
        await api.ActivateAsync(shop, gone);
        await api.ActivateAsync(shop, anna);
        await Eventually.TrueAsync(
            async () => (await SkippedAsync(key)).SequenceEqual(["address_bounced", "address_bounced", "declined"]),
            because: () => api.Service.Output
        );

        // The old one goes, and what moved is there.
        await api.RestartAsync((Setting, Next));
        Assert.Equal(["gift_card_activated", "redemption_completed"], await DeclinedAsync(wishes, key));
        Assert.Equal(1, await SuppressedAsync(key));
        Assert.Single(api.MailsTo(anna));
    }

    private async Task<string[]> DeclinedAsync(string wishes, string key) =>
        [
            .. (await api.Service.CallAsync(HttpMethod.Get, wishes, key))
                .GetProperty("declined")
                .EnumerateArray()
                .Select(kind => kind.GetString()!)
                .Order(StringComparer.Ordinal),
        ];

    private async Task<int> SuppressedAsync(string key) =>
        (await api.Service.CallAsync(HttpMethod.Get, "/v1/notification_suppressions", key))
            .GetProperty("data")
            .GetArrayLength();

    private async Task<IEnumerable<string?>> SkippedAsync(string key) =>
        (await api.Service.CallAsync(HttpMethod.Get, "/v1/notifications", key))
            .GetProperty("data")
            .EnumerateArray()
            .Where(message => message.GetProperty("status").GetString() == "skipped")
            .Select(message => message.GetProperty("last_error").GetString())
            .Order(StringComparer.Ordinal);
}
