using System.Text.Json;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Notification;

/// <summary>What of messages and of merchants' endpoints operators have to know.</summary>
public sealed class AttentionTests(WebhookApi api) : IClassFixture<WebhookApi>
{
    private const string Path = "/ops/v1/notification/attention";

    [Fact]
    public async Task A_mail_that_no_server_takes_is_named_until_it_is_sent()
    {
        api.Api.Smtp.Up = false;
        var (shop, _) = api.Api.NewMerchant("Shop");
        await api.Service.DeliverAsync(
            "merchant.onboarded.v1",
            new TestEvent("merchant.onboarded", shop.ToString(), 1, shop, new { })
        );

        var item = await UntilAsync(shop.ToString(), item => item is not null);

        Assert.Equal("notifications", item!.Value.GetProperty("kind").GetString());
        Assert.Equal("smtp_unavailable", item.Value.GetProperty("error").GetString());
        Assert.Equal(1, item.Value.GetProperty("attempts").GetInt32());
        Assert.True(item.Value.TryGetProperty("next_try_at", out _));
        api.Api.Smtp.Up = true;
        await api.Api.Database.AsOwnerAsync("UPDATE notifications SET due_at = now() WHERE state = 'pending'");
        await UntilAsync(shop.ToString(), gone => gone is null);
    }

    [Theory]
    [InlineData(500, "refused", true)]
    [InlineData(410, "gone", false)]
    public async Task An_endpoint_at_which_nothing_arrives_is_named_with_what_it_said(
        int status,
        string error,
        bool isTriedAgain
    )
    {
        var (shop, key) = api.NewMerchant();
        var path = api.NewPath();
        api.Receiver.OnReceive(path, status);
        var endpoint = await api.CreateAsync(key, path);
        await api.TellAsync(WebhookApi.Card("gift_card.loaded", shop));

        var item = await UntilAsync(shop.ToString(), item => item?.GetProperty("error").GetString() == error);

        Assert.Equal("webhook_endpoints", item!.Value.GetProperty("kind").GetString());
        Assert.Equal(endpoint.GetProperty("id").GetString(), item.Value.GetProperty("id").GetString());
        Assert.Equal(isTriedAgain, item.Value.TryGetProperty("next_try_at", out _));
    }

    [Fact]
    public async Task What_a_merchant_disables_by_hand_needs_nobody()
    {
        var (shop, key) = api.NewMerchant();
        var endpoint = await api.CreateAsync(key, api.NewPath());
        await api.PatchAsync(key, endpoint.GetProperty("id").GetString()!, new { enabled = false }, 1);

        Assert.Null(await ItemAsync(shop.ToString()));
        await api.Service.CallAsync(HttpMethod.Get, Path, key, status: 401);
    }

    private async Task<JsonElement?> UntilAsync(string merchant, Func<JsonElement?, bool> wanted)
    {
        JsonElement? item = null;
        await Eventually.TrueAsync(
            async () => wanted(item = await ItemAsync(merchant)),
            because: () => api.Service.Output
        );
        return item;
    }

    /// <summary>The one thing of that merchant, or null.</summary>
    private async Task<JsonElement?> ItemAsync(string merchant)
    {
        var answer = await api.Service.CallAsync(HttpMethod.Get, Path, api.Api.Operator("viewer"));
        return answer
            .GetProperty("data")
            .EnumerateArray()
            .Where(item => item.GetProperty("merchant_id").GetString() == merchant)
            .Select(item => (JsonElement?)item)
            .SingleOrDefault();
    }
}
