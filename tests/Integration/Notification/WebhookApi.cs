using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using LocalPlus.Kernel;
using LocalPlus.Notification.Webhooks;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Notification;

/// <summary>The notification service, and the server of a merchant who has webhooks.</summary>
public sealed class WebhookApi : IAsyncLifetime
{
    public const string Cards = "giftcard.cards.v1";
    private int paths;

    public NotificationApi Api { get; } = new();

    public StubReceiver Receiver { get; private set; } = null!;

    public RunningService Service => Api.Service;

    public async Task InitializeAsync()
    {
        await Api.InitializeAsync();
        Receiver = await StubReceiver.StartAsync();
    }

    public async Task DisposeAsync()
    {
        await Api.DisposeAsync();
        await Receiver.DisposeAsync();
    }

    public (MerchantId Id, string Key) NewMerchant()
    {
        var (shop, _) = Api.NewMerchant("Shop");
        return (shop, Api.Sidecar.IssueKey(shop, "events:read", "webhooks:read", "webhooks:write"));
    }

    /// <summary>A path of the receiver that nobody else has.</summary>
    public string NewPath() => $"hook-{Interlocked.Increment(ref paths)}";

    public async Task<JsonElement> CreateAsync(string key, string path, object? more = null, int status = 201)
    {
        var body = JsonSerializer.SerializeToNode(more ?? new { })!;
        body["url"] = Receiver.Url(path);
        return await Service.CallAsync(HttpMethod.Post, "/v1/webhook_endpoints", key, body, status);
    }

    public Task<JsonElement> PostAsync(string key, string path, object? body = null, int status = 202) =>
        Service.CallAsync(HttpMethod.Post, path, key, body ?? new { }, status);

    public Task<JsonElement> GetAsync(string key, string path, int status = 200) =>
        Service.CallAsync(HttpMethod.Get, path, key, status: status);

    public async Task<JsonElement> PatchAsync(string key, string id, object body, long version, int status = 200)
    {
        using var request = new HttpRequestMessage(HttpMethod.Patch, $"/v1/webhook_endpoints/{id}")
        {
            Content = JsonContent.Create(body),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        request.Headers.TryAddWithoutValidation("If-Match", $"\"{version}\"");
        using var answer = await Service.Public.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(status == (int)answer.StatusCode, $"PATCH {id}: {(int)answer.StatusCode} {text}");
        return JsonSerializer.Deserialize<JsonElement>(text);
    }

    public Task TellAsync(TestEvent e) => Service.DeliverAsync(Cards, e);

    public static TestEvent Card(string type, MerchantId shop, string? card = null, long sequence = 1)
    {
        card ??= GiftCardId.New(TimeProvider.System).ToString();
        return new(
            type,
            card,
            sequence,
            shop,
            new
            {
                gift_card_id = card,
                program_id = ProgramId.New(TimeProvider.System).ToString(),
                last4 = "7Q2M",
                currency = "EUR",
            }
        );
    }

    /// <summary>The one delivery of an endpoint, as soon as it is as wanted.</summary>
    public async Task<JsonElement> DeliveryAsync(string key, string endpoint, Func<JsonElement, bool> wanted)
    {
        JsonElement only = default;
        await Eventually.TrueAsync(
            async () =>
            {
                var all = await GetAsync(key, $"/v1/webhook_endpoints/{endpoint}/deliveries");
                if (all.GetProperty("data").GetArrayLength() == 0)
                {
                    return false;
                }

                only = Assert.Single(all.GetProperty("data").EnumerateArray());
                return wanted(only);
            },
            because: () => $"{only}\n{Service.Output}"
        );
        return only;
    }

    public Task<JsonElement> DeliveryAsync(string key, string endpoint, string status) =>
        DeliveryAsync(key, endpoint, d => d.GetProperty("status").GetString() == status);

    /// <summary>
    /// What waits for its next try is due at once. What is being tried is left: made due, it would be taken from its
    /// claim, and what came of the try would count for nothing.
    /// </summary>
    public async Task DueNowAsync()
    {
        await Api.Database.AsOwnerAsync("UPDATE webhook_endpoints SET probe_at = NULL");
        var claimed = $"now() + interval '{(int)(WebhookLimits.Lease / 2).TotalSeconds} seconds'";
        await Api.Database.AsOwnerAsync($"UPDATE webhook_queue SET due_at = '-infinity' WHERE due_at < {claimed}");
    }
}
